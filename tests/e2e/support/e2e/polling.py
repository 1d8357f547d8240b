"""Waiting for what arrives in the end: to a deadline, with the last answer in the message."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def wait_until(
    read: Callable[[], Awaitable[T]],
    is_true: Callable[[T], bool] = bool,
    *,
    seconds: float = 30,
    interval: float = 0.05,
) -> T:
    deadline = time.monotonic() + seconds
    while True:
        answer = await read()
        if is_true(answer):
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"not true within {seconds} s; the last answer was {answer!r}")
        await asyncio.sleep(interval)
