"""What is consumed: profiles, from auth's feed."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import CreatorActivated, UserBanned, UserRegistered, UserUnbanned, UserUpdated
from chassis.contracts.base import EventEnvelope
from chassis.events.handlers import Handlers
from posts.creators import service


async def handle_user_registered(session: AsyncSession, event: UserRegistered, envelope: EventEnvelope) -> None:
    await service.apply_profile(session, event, envelope.aggregate_seq)


async def handle_creator_activated(session: AsyncSession, event: CreatorActivated, envelope: EventEnvelope) -> None:
    await service.apply_activation(session, event, envelope.aggregate_seq)


async def handle_user_updated(session: AsyncSession, event: UserUpdated, envelope: EventEnvelope) -> None:
    await service.apply_profile(session, event, envelope.aggregate_seq)


async def handle_user_banned(session: AsyncSession, event: UserBanned, envelope: EventEnvelope) -> None:
    await service.hide_creator(session, event.user_id, is_hidden=True, seq=envelope.aggregate_seq)


async def handle_user_unbanned(session: AsyncSession, event: UserUnbanned, envelope: EventEnvelope) -> None:
    await service.hide_creator(session, event.user_id, is_hidden=False, seq=envelope.aggregate_seq)


HANDLERS: Handlers = {
    UserRegistered: handle_user_registered,
    CreatorActivated: handle_creator_activated,
    UserUpdated: handle_user_updated,
    UserBanned: handle_user_banned,
    UserUnbanned: handle_user_unbanned,
}
