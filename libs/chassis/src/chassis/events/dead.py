"""Dead events: seen, replayed or dropped by an operator."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, cast, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.base import EventEnvelope
from chassis.events.exceptions import DeadEventMissingError
from chassis.events.handlers import Handlers, run_handler
from chassis.events.inbox import DeadEvent, InboxEvent


async def list_dead_events(session: AsyncSession, *, limit: int = 100) -> Sequence[DeadEvent]:
    """The oldest first."""
    return (await session.scalars(select(DeadEvent).order_by(DeadEvent.created_at).limit(limit))).all()


async def replay_dead_event(session: AsyncSession, handlers: Handlers, *, consumer: str, event_id: UUID) -> None:
    """Apply it in this transaction after all. Raises what the handler raises: then it stays dead."""
    dead = await _get_dead_event_or_raise(session, consumer, event_id)
    await run_handler(handlers, session, EventEnvelope.model_validate(dead.envelope))
    # Still there as a rule; without it a replayed feed would apply the event once more.
    await session.execute(insert(InboxEvent).values(consumer=consumer, event_id=event_id).on_conflict_do_nothing())
    await session.delete(dead)
    await session.flush()


async def delete_dead_event(session: AsyncSession, *, consumer: str, event_id: UUID) -> None:
    """Give it up for good."""
    await session.delete(await _get_dead_event_or_raise(session, consumer, event_id))
    await session.flush()


async def forget_dead_events(session: AsyncSession, subject_id: UUID) -> None:
    """Those that name somebody who is gone: there is nobody left whom they could be applied to."""
    await session.execute(delete(DeadEvent).where(cast(DeadEvent.envelope, Text).contains(str(subject_id))))


async def _get_dead_event_or_raise(session: AsyncSession, consumer: str, event_id: UUID) -> DeadEvent:
    dead = await session.get(DeadEvent, (consumer, event_id), with_for_update=True)
    if dead is None:
        raise DeadEventMissingError(f"{consumer} has no dead event {event_id}")
    return dead
