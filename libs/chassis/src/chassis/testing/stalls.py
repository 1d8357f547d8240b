"""No test may hold up the event loop: what blocks here blocks every request in production."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chassis.loop import watch_loop

LOOKS = 10

TestFunction = Callable[..., Awaitable[None]]


def refuse_stalls(function: TestFunction, seconds: float) -> TestFunction:
    """The same test, failing with the blocking stack when its loop stood still. Fixtures are not watched."""

    @functools.wraps(function)
    async def run_watched(**fixtures: Any) -> None:
        stalls: list[str] = []
        with watch_loop(stalls.append, seconds, looks=LOOKS):
            await function(**fixtures)
        if stalls:
            pytest.fail(f"the event loop stood still for more than {seconds} s in\n{stalls[0]}", pytrace=False)

    return run_watched
