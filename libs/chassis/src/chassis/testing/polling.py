"""Waiting for something to become true: to a deadline, never for a fixed time."""

import asyncio
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
