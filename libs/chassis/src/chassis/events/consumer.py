"""The consumer of another service's feed: pulls, applies once, remembers how far it is."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chassis.contracts.base import EventEnvelope
from chassis.database.engine import Database
from chassis.events.applier import Applier, Outcome
from chassis.events.client import EventFeed
from chassis.events.exceptions import HandlerFailedError
from chassis.events.failures import is_database_away, is_service_away
from chassis.events.handlers import Handlers
from chassis.events.leadership import hold_leadership
from chassis.events.metrics import EVENT_FAILURES, EVENT_LAG_SECONDS, EVENTS_APPLIED, EVENTS_DEAD
from chassis.events.position import Position
from chassis.http.exceptions import UpstreamError
from chassis.logs import get_logger
from chassis.problems import ServiceUnavailableError

MAX_ATTEMPTS = 5
MAX_FORGIVEN = 20
"""How often in a row the database may be blamed: a handler that itself breaks the connection is found out then."""
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
LONGEST_AWAY_SECONDS = 5.0

logger = get_logger(__name__)


class Consumer:
    """Runs in the background process. Any number may run: one works, the others stand by.

    `name` keys the inbox, `feed_name` the cursor; both stay as they are for ever, or everything is applied anew.
    """

    def __init__(self, database: Database, feed: EventFeed, handlers: Handlers, *, name: str, feed_name: str) -> None:
        self.name = name
        self.feed_name = feed_name
        self._database = database
        self._feed = feed
        self._applier = Applier(database, name, feed_name, handlers)
        self._failures = 0
        self._forgiven = 0
        self._forgive_next = False
        self._last_error = "the process ended while the event was applied"

    async def run(self) -> None:
        """Until cancelled. Failures are logged, counted and tried again."""
        while True:
            async with hold_leadership(self._database, self.name, self.feed_name) as leadership:
                while not leadership.is_lost():
                    await self._step()

    async def _step(self) -> None:
        try:
            await self.consume_page()
        except (HandlerFailedError, UpstreamError, ServiceUnavailableError) as error:
            await self._pause_after(error)
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            await self._pause_after(error)
        else:
            self._failures = 0

    async def consume_page(self) -> None:
        """Pull once and apply what came: in few transactions, or one by one if something failed from here before."""
        progress = await self._applier.get_progress()
        page = await self._feed.get_events(progress.position)
        if not page.items:
            self._set_lag(0)
            return
        position, rest = progress.position, page.items
        while rest:
            outcome = await self._consume_part(position, rest[:1] if progress.attempts else rest)
            if outcome is None:
                return
            position, rest = outcome.position, rest[outcome.seen :]

    async def _consume_part(self, position: Position, envelopes: Sequence[EventEnvelope]) -> Outcome | None:
        """What became of the first of them; None when the cursor was moved by somebody else: pull again."""
        attempt = await self._applier.begin_attempt(position, counted=not self._forgive_next)
        if attempt is None or (attempt > 1 and len(envelopes) > 1):
            return None
        if attempt > MAX_ATTEMPTS:
            outcome = await self._applier.park_event(position, envelopes[0], self._last_error, MAX_ATTEMPTS)
        else:
            outcome = await self._try_events(position, envelopes)
        self._forgive_next, self._forgiven = False, 0
        if outcome is not None:
            self._record_outcome(outcome, envelopes[outcome.seen - 1])
        return outcome

    async def _try_events(self, position: Position, envelopes: Sequence[EventEnvelope]) -> Outcome | None:
        try:
            return await self._applier.apply_events(position, envelopes)
        except asyncio.CancelledError:
            with suppress(SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                async with asyncio.timeout(1):
                    await self._applier.forgive_attempt(position)
            raise
        except Exception as error:
            self._judge_failure(error)
            raise

    def _judge_failure(self, error: Exception) -> None:
        """An attempt that failed because the world was away is not held against the event."""
        self._last_error = describe_error(error)
        self._forgive_next = is_service_away(error) or (is_database_away(error) and self._forgiven < MAX_FORGIVEN)
        self._forgiven += 1

    async def _pause_after(self, error: Exception) -> None:
        away = is_service_away(error) or is_database_away(error)
        reason = type(error.__cause__ if isinstance(error, HandlerFailedError) else error).__name__
        EVENT_FAILURES.labels(self.name, self.feed_name, reason).inc()
        self._log_failure(error, reason, away=away)
        longest = LONGEST_AWAY_SECONDS if away else LONGEST_PAUSE_SECONDS
        pause = min(longest, FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 10))
        self._failures += 1
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter

    def _log_failure(self, error: Exception, reason: str, *, away: bool) -> None:
        log = logger.bind(consumer=self.name, feed=self.feed_name, reason=reason)
        if away:
            log.warning("event_feed_interrupted", detail=str(error) if isinstance(error, UpstreamError) else None)
        elif isinstance(error, DBAPIError):
            # Its text quotes the row, which may be somebody's address: the whole of it goes to the dead event only.
            log.error("event_failed", sqlstate=getattr(error.driver_exception, "sqlstate", None))
        else:
            log.error("event_failed", detail=str(error), exc_info=error)

    def _record_outcome(self, outcome: Outcome, last: EventEnvelope) -> None:
        EVENTS_APPLIED.labels(self.name, self.feed_name).inc(outcome.applied)
        if outcome.dead:
            EVENTS_DEAD.labels(self.name, self.feed_name).inc(outcome.dead)
            logger.error("event_parked", consumer=self.name, feed=self.feed_name, events=outcome.dead)
        self._set_lag((datetime.now(UTC) - last.created_at).total_seconds())

    def _set_lag(self, seconds: float) -> None:
        EVENT_LAG_SECONDS.labels(self.name, self.feed_name).set(max(0.0, seconds))


def describe_error(error: BaseException) -> str:
    """The error and its cause, in one text for the dead event."""
    cause = error.__cause__ if isinstance(error, HandlerFailedError) else None
    return repr(error if cause is None else cause)
