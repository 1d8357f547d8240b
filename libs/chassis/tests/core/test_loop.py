import asyncio
import json
import threading
import time
from collections.abc import Callable

import pytest

from chassis.logs import configure_logging
from chassis.loop import log_stall, watch_loop
from chassis.metrics import LOOP_LAG_SECONDS
from chassis.testing.polling import wait_until

LIMIT = 0.2


def block_in_python(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def block_in_c(seconds: float) -> None:
    """Holds the interpreter's lock: no other thread runs meanwhile, the watcher only afterwards."""
    started_at = time.thread_time()
    sum(range(500_000))
    sum(range(int(500_000 * seconds / (time.thread_time() - started_at))))
    block_in_python(0.05)


def count_lags() -> float:
    return sum(float(bucket.get()) for bucket in LOOP_LAG_SECONDS._buckets)


class TestWatchLoop:
    @pytest.mark.parametrize("block", [time.sleep, block_in_python, block_in_c])
    async def test_tells_once_where_the_loop_stands_still(self, block: Callable[[float], None]) -> None:
        stacks: list[str] = []
        with watch_loop(stacks.append, LIMIT):
            await asyncio.sleep(0)
            block(LIMIT * 2)
        assert len(stacks) == 1
        assert __file__ in stacks[0]

    async def test_tells_again_after_the_loop_has_turned(self) -> None:
        stacks: list[str] = []

        async def has_told_again() -> bool:
            block_in_python(LIMIT * 2)
            return len(stacks) > 1

        with watch_loop(stacks.append, LIMIT):
            # Between two tries the loop turns, and on a busy machine the watcher may have missed it.
            await wait_until(has_told_again, interval=LIMIT)
        assert len(stacks) == 2

    async def test_loop_that_waits_or_is_busy_with_others_is_well(self) -> None:
        stacks: list[str] = []
        with watch_loop(stacks.append, LIMIT):
            for _ in range(30):
                block_in_python(LIMIT / 10)
                await asyncio.sleep(0)
            await asyncio.to_thread(time.sleep, LIMIT * 2)
        assert stacks == []

    async def test_leaves_nothing_behind(self) -> None:
        before = threading.active_count()
        with watch_loop(log_stall, LIMIT):
            assert threading.active_count() == before + 1
        assert threading.active_count() == before

    async def test_stack_is_logged(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging("INFO", "json")  # anew, on the standard output that is captured here
        with watch_loop(seconds=LIMIT):
            block_in_python(LIMIT * 2)
        (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert line["event"] == "event_loop_stalled"
        assert "in block_in_python" in line["stack"]
