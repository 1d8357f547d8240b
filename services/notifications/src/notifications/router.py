"""The routes of the service, hot ones first."""

from fastapi import APIRouter

from notifications.deliveries.router import due_router
from notifications.deliveries.router import router as deliveries_router
from notifications.inbox.router import router as inbox_router

router = APIRouter()
router.include_router(inbox_router)
router.include_router(deliveries_router)
router.include_router(due_router)
