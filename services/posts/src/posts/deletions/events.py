"""Consumed from auth: somebody is gone, with what they wrote."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import UserDeleted
from chassis.contracts.base import EventEnvelope
from chassis.events.handlers import Handlers
from posts.deletions.service import forget_person


async def handle_user_deleted(session: AsyncSession, event: UserDeleted, _: EventEnvelope) -> None:
    await forget_person(session, event.user_id)


HANDLERS: Handlers = {UserDeleted: handle_user_deleted}
