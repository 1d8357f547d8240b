"""Consumed from auth: somebody is gone, with what they wrote."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import UserDeleted
from chassis.contracts.base import EventEnvelope
from chassis.events.handlers import Handlers
from posts.creators.service import forget_creator
from posts.posts.service import delete_posts_of
from posts.reviews.service import anonymize_reviews_of


async def handle_user_deleted(session: AsyncSession, event: UserDeleted, _: EventEnvelope) -> None:
    await delete_posts_of(session, event.user_id)
    await anonymize_reviews_of(session, event.user_id)
    await forget_creator(session, event.user_id)


HANDLERS: Handlers = {UserDeleted: handle_user_deleted}
