from fastapi import APIRouter

from auth.confirmations.router import router as confirmations
from auth.keys.router import router as keys
from auth.profiles.router import router as profiles
from auth.tokens.router import router as tokens
from chassis.events.feed import create_feed_router

router = APIRouter()
router.include_router(profiles)
router.include_router(tokens)
router.include_router(keys)
router.include_router(confirmations)
router.include_router(create_feed_router())
