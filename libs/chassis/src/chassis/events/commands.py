"""What an operator does about dead events (`python -m <service> dead`). Each answers with lines to print."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from chassis.database.engine import Database
from chassis.events.dead import delete_dead_event, list_dead_events, replay_dead_event
from chassis.events.exceptions import (
    DeadEventMissingError,
    DeadEventStaysError,
    EventMalformedError,
    EventUnknownError,
    HandlerFailedError,
)
from chassis.events.handlers import Handlers
from chassis.events.inbox import DeadEvent
from chassis.problems import ServiceUnavailableError

MAX_LISTED = 1000
HANDLER_ERRORS = (HandlerFailedError, EventMalformedError, EventUnknownError, DBAPIError, ServiceUnavailableError)


async def list_dead(database: Database) -> list[str]:
    async with database.transaction() as session:
        dead = await list_dead_events(session, limit=MAX_LISTED)
    if not dead:
        return ["no dead events"]
    return [
        f"{item.event_id}  {item.consumer}  {item.envelope['type']}  {item.created_at:%Y-%m-%dT%H:%M:%SZ}"
        f"  {item.attempts} attempts  {item.error.splitlines()[0] if item.error else ''}"
        for item in dead
    ]


async def replay_dead(database: Database, handlers: Mapping[str, Handlers], event_id: UUID) -> list[str]:
    """In each consumer that parked it. Raises DeadEventMissingError, DeadEventStaysError."""
    consumers = await _list_consumers(database, event_id)
    for consumer in consumers:
        if consumer not in handlers:
            raise DeadEventStaysError(f"{consumer} is no consumer of this service any more")
        try:
            async with database.transaction() as session:
                await replay_dead_event(session, handlers[consumer], consumer=consumer, event_id=event_id)
        except HANDLER_ERRORS as error:
            cause = error.__cause__ if isinstance(error, HandlerFailedError) else error
            raise DeadEventStaysError(f"{consumer} still cannot apply {event_id}: {cause!r}") from error
    return [f"{consumer} has applied {event_id}" for consumer in consumers]


async def drop_dead(database: Database, event_id: UUID) -> list[str]:
    """Raises DeadEventMissingError."""
    consumers = await _list_consumers(database, event_id)
    for consumer in consumers:
        async with database.transaction() as session:
            await delete_dead_event(session, consumer=consumer, event_id=event_id)
    return [f"{consumer} has dropped {event_id}" for consumer in consumers]


async def _list_consumers(database: Database, event_id: UUID) -> list[str]:
    async with database.transaction() as session:
        statement = select(DeadEvent.consumer).where(DeadEvent.event_id == event_id).order_by(DeadEvent.consumer)
        consumers = list(await session.scalars(statement))
    if not consumers:
        raise DeadEventMissingError(f"there is no dead event {event_id}")
    return consumers
