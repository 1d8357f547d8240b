"""What is consumed: profiles, from auth's feed."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import CreatorActivated, UserRegistered
from chassis.contracts.base import EventEnvelope
from chassis.events.handlers import Handlers
from posts.creators import service


async def handle_user_registered(session: AsyncSession, event: UserRegistered, envelope: EventEnvelope) -> None:
    await service.apply_registration(session, event, envelope.aggregate_seq)


async def handle_creator_activated(session: AsyncSession, event: CreatorActivated, envelope: EventEnvelope) -> None:
    await service.apply_activation(session, event, envelope.aggregate_seq)


HANDLERS: Handlers = {
    UserRegistered: handle_user_registered,
    CreatorActivated: handle_creator_activated,
}
