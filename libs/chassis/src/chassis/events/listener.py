"""LISTEN on a connection of its own, for as long as the process lives.

A notification is a hint: it may be lost with the connection, so whoever waits for one also looks by itself.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

from chassis.database.engine import Database
from chassis.logs import get_logger

RECONNECT_SECONDS = (0.1, 5.0)
CLOSE_SECONDS = 1.0

logger = get_logger(__name__)


class Listener:
    """Calls `on_wake` for each notification, and after each connect for what may have been missed."""

    def __init__(self, database: Database, channel: str, on_wake: Callable[[], None]) -> None:
        self._database = database
        self._channel = channel
        self._on_wake = on_wake
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; a lost connection is opened again."""
        pause, longest = RECONNECT_SECONDS
        while True:
            try:
                await self._listen_until_lost()
                pause = RECONNECT_SECONDS[0]
                logger.warning("listen_connection_lost", channel=self._channel)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.warning("listen_failed", channel=self._channel, reason=repr(error))
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads reconnects, guards nothing
            pause = min(pause * 2, longest)

    async def _listen_until_lost(self) -> None:
        connection = await self._database.connect()
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda *_: lost.set())
            await connection.add_listener(self._channel, self._handle_notification)
            self._on_wake()
            self.connected.set()
            await lost.wait()
        finally:
            self.connected.clear()
            await close_connection(connection)

    def _handle_notification(self, *_: Any) -> None:
        self._on_wake()


async def close_connection(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Close without waiting for a server that does not answer."""
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await connection.close(timeout=CLOSE_SECONDS)
