"""The routes of the service, hot ones first."""

from fastapi import APIRouter

from chassis.exports import create_export_router
from notifications.deliveries.router import due_router
from notifications.deliveries.router import router as deliveries_router
from notifications.exports.queries import PARTS
from notifications.inbox.router import router as inbox_router

router = APIRouter()
router.include_router(inbox_router)
router.include_router(deliveries_router)
router.include_router(due_router)
router.include_router(create_export_router(PARTS))
