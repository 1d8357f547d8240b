"""Ended sessions, told to all services through Redis."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from redis.asyncio import Redis

from auth.sessions.constants import REVOCATION_CHANNEL
from auth.sessions.queries import RECENT_REVOCATIONS
from chassis.database.engine import Database
from chassis.error_handlers import DATABASE_AWAY
from chassis.events.listener import Listener
from chassis.logs import get_logger
from chassis.security.revocation import KEPT_SECONDS, REDIS_AWAY, create_redis, publish_revocations, write_revocations

REWRITE_SECONDS = 2.0
"""Redis may have been wiped, or a wake-up lost: so often all that still matters is written again."""
PUBLISHED_MAX = 100_000
RECENT = timedelta(seconds=KEPT_SECONDS)

logger = get_logger(__name__)


class RevocationPublisher:
    """Runs in the background process; several at once say the same, which does no harm."""

    def __init__(self, database: Database, redis_url: str) -> None:
        self._database = database
        self._redis_url = redis_url
        self._wake = asyncio.Event()
        self._published: set[str] = set()

    async def run(self) -> None:
        """Until cancelled."""
        listener = Listener(self._database, REVOCATION_CHANNEL, self._wake.set)
        async with asyncio.TaskGroup() as group, create_redis(self._redis_url) as redis:
            group.create_task(listener.run(), name="revocation-listener")
            while True:
                await self._try_publish(redis)
                with suppress(TimeoutError):
                    async with asyncio.timeout(REWRITE_SECONDS):
                        await self._wake.wait()

    async def _try_publish(self, redis: "Redis") -> None:
        self._wake.clear()
        try:
            rows = await self._database.reader.fetch_rows(RECENT_REVOCATIONS, age=RECENT)
        except DATABASE_AWAY as error:
            logger.warning("revocations_not_read", reason=type(error).__name__)
            return
        try:
            await self._publish(redis, [(str(row["session_id"]), row["revoked_at"].timestamp()) for row in rows])
        except REDIS_AWAY as error:
            logger.warning("revocations_not_published", reason=type(error).__name__)

    async def _publish(self, redis: "Redis", entries: list[tuple[str, float]]) -> None:
        # The set first: whoever connects between the two finds in it what the message would have said.
        await write_revocations(redis, entries)
        await publish_revocations(redis, [entry for entry in entries if entry[0] not in self._published])
        self._published = {session_id for session_id, _ in entries[-PUBLISHED_MAX:]}
