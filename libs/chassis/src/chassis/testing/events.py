"""Events for tests: as a feed would deliver them, without one."""

import uuid
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.base import Event, EventEnvelope
from chassis.events.handlers import Handlers, run_handler


def create_envelope(event: Event, *, aggregate_id: UUID | None = None, aggregate_seq: int = 1) -> EventEnvelope:
    """As a feed would deliver it."""
    return EventEnvelope(
        event_id=uuid.uuid4(),
        type=event.type,
        version=event.version,
        aggregate_id=aggregate_id or uuid.uuid4(),
        aggregate_seq=aggregate_seq,
        payload=event.model_dump(mode="json"),
        traceparent=None,
        created_at=datetime.now(UTC),
        cursor="1:1",
    )


async def apply_event(session: AsyncSession, handlers: Handlers, event: Event, *, aggregate_seq: int = 1) -> None:
    """What the consumer does with one new event, in the test's own transaction."""
    await run_handler(handlers, session, create_envelope(event, aggregate_seq=aggregate_seq))
