import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from chassis import background
from chassis.background import get_heartbeat_path, run_background
from chassis.testing.polling import wait_until

NAME = "tests"


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(background, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(background, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(background, "STOP_SECONDS", 0.3)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


async def run_for_ever() -> None:
    await asyncio.Event().wait()


class Flaky:
    """Crashes, or ends, as often as told, then runs."""

    def __init__(self, *, crashes: int = 0, ends: int = 0) -> None:
        self.starts = 0
        self.crashes = crashes
        self.ends = ends

    async def run(self) -> None:
        self.starts += 1
        if self.starts <= self.crashes:
            raise ValueError("crashed on purpose")
        if self.starts > self.crashes + self.ends:
            await run_for_ever()


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., "asyncio.Task[None]"]]:
    started: list[asyncio.Task[None]] = []

    def start_background(**tasks: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        started.append(asyncio.create_task(run_background(NAME, tasks)))
        return started[-1]

    yield start_background
    for task in started:
        task.cancel()
    await asyncio.gather(*started, return_exceptions=True)


async def is_alive() -> bool:
    return get_heartbeat_path(NAME).exists()


class TestRunBackground:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_ends_on_a_signal(self, start: Callable[..., "asyncio.Task[None]"], number: signal.Signals) -> None:
        running = start(first=run_for_ever, second=run_for_ever)
        await wait_until(is_alive)
        os.kill(os.getpid(), number)
        await asyncio.wait_for(running, 5)
        assert not get_heartbeat_path(NAME).exists()

    async def test_crashed_task_is_started_again(
        self, start: Callable[..., "asyncio.Task[None]"], caplog: pytest.LogCaptureFixture
    ) -> None:
        flaky, steady = Flaky(crashes=2, ends=1), Flaky()

        async def has_recovered() -> bool:
            return flaky.starts == 4 and get_heartbeat_path(NAME).exists()

        with caplog.at_level(logging.ERROR):
            start(flaky=flaky.run, steady=steady.run)
            await wait_until(has_recovered)
        assert steady.starts == 1

    async def test_task_that_does_not_end_holds_up_nobody_for_ever(
        self, start: Callable[..., "asyncio.Task[None]"]
    ) -> None:
        release = asyncio.Event()

        async def ignore_cancel() -> None:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue

        running = start(stubborn=ignore_cancel)
        await wait_until(is_alive)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 5)
        release.set()

    async def test_is_not_alive_while_a_task_is_down(self, start: Callable[..., "asyncio.Task[None]"]) -> None:
        flaky = Flaky(crashes=1_000_000)
        start(flaky=flaky.run, steady=run_for_ever)

        async def has_crashed() -> bool:
            return flaky.starts > 2

        await wait_until(has_crashed)
        assert not get_heartbeat_path(NAME).exists()
