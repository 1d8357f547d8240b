"""Consumed from auth: somebody is gone."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import UserDeleted
from chassis.contracts.base import EventEnvelope
from notifications.deletions.service import forget_person


async def handle_user_deleted(session: AsyncSession, event: UserDeleted, _: EventEnvelope) -> None:
    await forget_person(session, event.user_id)
