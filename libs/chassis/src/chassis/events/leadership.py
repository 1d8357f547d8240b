"""One of many: who holds the advisory lock works, the others ask again every second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from chassis.database.engine import Database
from chassis.events.listener import close_connection
from chassis.events.metrics import EVENT_LEADER
from chassis.logs import get_logger

RETRY_SECONDS = 1.0
TRY_LOCK = "select pg_try_advisory_lock(hashtextextended($1, 0))"

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Leadership:
    """Held as long as its connection lives. It saves work; what makes two leaders harmless is the cursor's lock."""

    connection: "asyncpg.Connection[asyncpg.Record]"

    def is_lost(self) -> bool:
        return bool(self.connection.is_closed())


@asynccontextmanager
async def hold_leadership(database: Database, consumer: str, feed: str) -> AsyncIterator[Leadership]:
    """Wait until this process leads."""
    gauge = EVENT_LEADER.labels(consumer, feed)
    gauge.set(0)
    connection = await _wait_for_lock(database, f"consumer:{consumer}:{feed}")
    try:
        gauge.set(1)
        logger.info("event_consumer_leads", consumer=consumer, feed=feed)
        yield Leadership(connection)
    finally:
        gauge.set(0)
        await close_connection(connection)


async def _wait_for_lock(database: Database, key: str) -> "asyncpg.Connection[asyncpg.Record]":
    while True:
        try:
            connection = await database.connect()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.warning("event_consumer_waits", reason=repr(error))
        else:
            if await _take_lock(connection, key):
                return connection
        await asyncio.sleep(RETRY_SECONDS)


async def _take_lock(connection: "asyncpg.Connection[asyncpg.Record]", key: str) -> bool:
    """Ask every second on this connection. False, with the connection closed, when it is lost."""
    taken = False
    try:
        while not await connection.fetchval(TRY_LOCK, key):  # noqa: ASYNC110 - another process tells no Event
            await asyncio.sleep(RETRY_SECONDS)
        taken = True
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        logger.warning("event_consumer_waits", reason=repr(error))
    finally:
        if not taken:
            await close_connection(connection)
    return taken
