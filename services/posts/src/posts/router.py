"""The routes of the service, the most used first."""

from fastapi import APIRouter

from chassis.events.feed import create_feed_router
from chassis.exports import create_export_router
from chassis.jobs.router import create_due_jobs_router
from posts.creators.router import router as creators_router
from posts.exports.queries import PARTS
from posts.posts.router import router as posts_router
from posts.renderings.router import router as renderings_router
from posts.renderings.service import RENDERINGS
from posts.reviews.router import router as reviews_router

router = APIRouter()
router.include_router(posts_router)
router.include_router(reviews_router)
router.include_router(creators_router)
router.include_router(renderings_router)
router.include_router(create_due_jobs_router([RENDERINGS]))
router.include_router(create_export_router(PARTS))
router.include_router(create_feed_router())
