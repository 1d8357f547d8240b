"""The consumer's transactions. Effect and progress are one commit, so neither can be had without the other."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Update, func, literal, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.base import EventEnvelope
from chassis.contracts.catalog import get_event_type
from chassis.database.engine import Database
from chassis.events.exceptions import EventMalformedError, EventUnknownError
from chassis.events.handlers import Handlers, run_handler
from chassis.events.inbox import DeadEvent, FeedCursor, InboxEvent
from chassis.events.position import Position

MAX_ERROR_LENGTH = 4000
# An open transaction holds back every feed of the server (`pg_snapshot_xmin`): what is left gets the next one.
APPLY_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the consumer is; `attempts` were begun from there, crashed ones included."""

    position: Position
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one transaction did with the first `seen` events it was given; those that came before are in no number."""

    position: Position
    seen: int
    applied: int = 0
    dead: int = 0


class Applier:
    """Each method is a transaction; those that take a position do nothing when the cursor is no longer there."""

    def __init__(self, database: Database, consumer: str, feed: str, handlers: Handlers) -> None:
        self._database = database
        self._consumer = consumer
        self._feed = feed
        self._handlers = handlers

    async def get_progress(self) -> Progress:
        async with self._database.transaction() as session:
            cursor = await session.get(FeedCursor, self._feed)
            if cursor is None:
                await session.execute(insert(FeedCursor).values(feed=self._feed).on_conflict_do_nothing())
                cursor = await session.get_one(FeedCursor, self._feed)
            return Progress(Position(cursor.xid, cursor.id), cursor.attempts)

    async def begin_attempt(self, position: Position, *, counted: bool) -> int | None:
        """The number of this attempt, committed before any handler runs: a crash of the process counts as well."""
        async with self._database.transaction() as session:
            statement = self._update_cursor(position, attempts=FeedCursor.attempts + int(counted))
            attempts: int | None = await session.scalar(statement.returning(FeedCursor.attempts))
            return attempts

    async def forgive_attempt(self, position: Position) -> None:
        """Take the last attempt back: it was stopped, it did not fail."""
        async with self._database.transaction() as session:
            await session.execute(self._update_cursor(position, attempts=func.greatest(FeedCursor.attempts - 1, 0)))

    async def apply_events(self, position: Position, envelopes: Sequence[EventEnvelope]) -> Outcome | None:
        """Apply what is new, for about 250 ms, and move the cursor behind the last; None: another consumer was here."""
        async with self._database.transaction() as session:
            if not await self._lock_cursor(session, position):
                return None
            known = await self._list_known(session, envelopes)
            results: dict[UUID, bool] = {}
            seen = 0
            deadline = time.monotonic() + APPLY_SECONDS
            for envelope in envelopes:
                seen += 1
                event_id = envelope.event_id
                if event_id not in known and event_id not in results and self._concerns(envelope):
                    results[event_id] = await self._apply_event(session, envelope)
                if time.monotonic() > deadline:
                    break
            await self._insert_inbox(session, list(results))
            end = Position.parse(envelopes[seen - 1].cursor)
            await self._move_cursor(session, position, end)
            applied = sum(results.values())
            return Outcome(end, seen, applied, len(results) - applied)

    async def park_event(
        self, position: Position, envelope: EventEnvelope, error: str, attempts: int
    ) -> Outcome | None:
        """Give the event up for now, keep it with its cause, and go on behind it."""
        async with self._database.transaction() as session:
            if not await self._lock_cursor(session, position):
                return None
            is_new = not await self._list_known(session, [envelope])
            if is_new:
                self._add_dead_event(session, envelope, error, attempts)
                await self._insert_inbox(session, [envelope.event_id])
            end = Position.parse(envelope.cursor)
            await self._move_cursor(session, position, end)
            return Outcome(end, seen=1, dead=int(is_new))

    async def _apply_event(self, session: AsyncSession, envelope: EventEnvelope) -> bool:
        try:
            await run_handler(self._handlers, session, envelope)
        except (EventUnknownError, EventMalformedError) as error:
            # Raised before the handler ran; no further try can end in another way.
            self._add_dead_event(session, envelope, str(error), attempts=1)
            return False
        return True

    def _concerns(self, envelope: EventEnvelope) -> bool:
        """A known type without a handler is none of this consumer's business; an unknown one is never passed over."""
        event_type = get_event_type(envelope.type, envelope.version)
        return event_type is None or event_type in self._handlers

    async def _lock_cursor(self, session: AsyncSession, position: Position) -> bool:
        cursor = await session.scalar(select(FeedCursor.feed).where(*self._is_at(position)).with_for_update())
        return cursor is not None

    async def _list_known(self, session: AsyncSession, envelopes: Sequence[EventEnvelope]) -> set[UUID]:
        """The ids of those that were applied or parked before."""
        event_ids = [item.event_id for item in envelopes]
        is_known = InboxEvent.event_id == func.any(literal(event_ids, ARRAY(postgresql.UUID())))
        statement = select(InboxEvent.event_id).where(InboxEvent.consumer == self._consumer, is_known)
        return set(await session.scalars(statement))

    async def _insert_inbox(self, session: AsyncSession, event_ids: Sequence[UUID]) -> None:
        """An id that somebody else brought here meanwhile is an IntegrityError, which takes back what was applied."""
        if not event_ids:
            return
        # One array, not two parameters a row: the statement stays the same for any number and is compiled once.
        rows = select(literal(self._consumer), func.unnest(literal(event_ids, ARRAY(postgresql.UUID()))))
        await session.execute(insert(InboxEvent).from_select(["consumer", "event_id"], rows))

    async def _move_cursor(self, session: AsyncSession, position: Position, end: Position) -> None:
        await session.execute(self._update_cursor(position, xid=end.xid, id=end.id, attempts=0))

    def _add_dead_event(self, session: AsyncSession, envelope: EventEnvelope, error: str, attempts: int) -> None:
        session.add(
            DeadEvent(
                consumer=self._consumer,
                event_id=envelope.event_id,
                envelope=envelope.model_dump(mode="json"),
                error=error[:MAX_ERROR_LENGTH].replace("\x00", ""),
                attempts=attempts,
            )
        )

    def _update_cursor(self, position: Position, **values: Any) -> Update:
        return update(FeedCursor).where(*self._is_at(position)).values(**values)

    def _is_at(self, position: Position) -> tuple[Any, ...]:
        return (FeedCursor.feed == self._feed, FeedCursor.xid == position.xid, FeedCursor.id == position.id)
