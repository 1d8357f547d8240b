"""Waiting for something to become true: to a deadline, never for a fixed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def wait_until(read: Callable[[], Awaitable[T | None]], *, seconds: float = 10, interval: float = 0.02) -> T:
    """The first truthy answer of `read`. Raises TimeoutError, with the last answer, after `seconds`."""
    answer = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                answer = await read()
                if answer:
                    return answer
                await asyncio.sleep(interval)
    except TimeoutError:
        raise TimeoutError(f"not true within {seconds} s; the last answer was {answer!r}") from None


def poll_until(check: Callable[[], bool], seconds: float = 10, interval: float = 0.02) -> bool:
    """For tests without an event loop; False when `seconds` are over."""
    deadline = time.monotonic() + seconds
    while not check() and time.monotonic() < deadline:
        time.sleep(interval)
    return check()
