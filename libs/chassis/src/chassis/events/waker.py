"""Wakes the feed's long polls: one LISTEN connection a process, however many wait."""

import asyncio
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from chassis.database.engine import Database
from chassis.events.ddl import OUTBOX_CHANNEL
from chassis.events.listener import Listener
from chassis.shutdown import watch_shutdown


class FeedWaker:
    """Open in the lifespan, as `app.state.feed_waker`. Ends all waiting when the process is asked to stop."""

    def __init__(self, database: Database) -> None:
        self.listener = Listener(database, OUTBOX_CHANNEL, self._wake)
        self._next_wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._stack.enter_context(watch_shutdown(self.stop))
        task = asyncio.create_task(self.listener.run(), name="feed-waker")
        self._stack.push_async_callback(_cancel_task, task)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        await self._stack.aclose()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()
        self._wake()

    def next_wake(self) -> asyncio.Event:
        """Take it before looking: what is written while one looks then still wakes."""
        return self._next_wake

    async def wait(self, wake: asyncio.Event, seconds: float) -> None:
        """Until woken or stopped, at most so long."""
        if not self.stopping:
            await _wait_for(wake, seconds)

    async def pause(self, seconds: float) -> None:
        """A fixed time that only a stop cuts short."""
        await _wait_for(self._stop, seconds)

    def _wake(self) -> None:
        woken, self._next_wake = self._next_wake, asyncio.Event()
        woken.set()


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _cancel_task(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
