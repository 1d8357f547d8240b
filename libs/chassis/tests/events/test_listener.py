import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chassis.database.engine import Database
from chassis.events.listener import Listener

TERMINATE = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'"
)


class Wakes:
    """Counts, and lets a test wait for the next."""

    def __init__(self) -> None:
        self.count = 0
        self._unseen = asyncio.Semaphore(0)

    def wake(self) -> None:
        self.count += 1
        self._unseen.release()

    async def wait_for_next(self) -> None:
        """Also for one that came before anybody waited."""
        await asyncio.wait_for(self._unseen.acquire(), 5)


@pytest.fixture
def wakes() -> Wakes:
    return Wakes()


@pytest.fixture
async def listener(committed_database: Database, wakes: Wakes) -> AsyncIterator[Listener]:
    listener = Listener(committed_database, "news", wakes.wake)
    task = asyncio.create_task(listener.run())
    await listener.connected.wait()
    await wakes.wait_for_next()  # for what it may have missed before
    yield listener
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture
async def execute(committed_database: Database) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
    connection = await committed_database.connect()
    yield connection.execute
    await connection.close()


class TestListener:
    async def test_wakes_after_connecting_for_what_it_may_have_missed(self, listener: Listener, wakes: Wakes) -> None:
        assert listener.connected.is_set()
        assert wakes.count == 1

    async def test_wakes_for_each_notification(
        self, listener: Listener, wakes: Wakes, execute: Callable[[str], Awaitable[object]]
    ) -> None:
        del listener
        for _ in range(2):
            await execute("notify news")
            await wakes.wait_for_next()

    async def test_lost_connection_is_opened_again(
        self, listener: Listener, wakes: Wakes, execute: Callable[[str], Awaitable[object]]
    ) -> None:
        await execute(TERMINATE)
        await wakes.wait_for_next()
        assert listener.connected.is_set()
        await execute("notify news")
        await wakes.wait_for_next()
