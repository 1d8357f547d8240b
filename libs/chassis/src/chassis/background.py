"""The background process of a service: named tasks that run for ever, started again when they crash."""

import asyncio
import random
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from chassis.logs import get_logger

STOP_SECONDS = 10.0
HEARTBEAT_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A task that ran this long had recovered: its next crash is a first one again.
HEALTHY_SECONDS = 60.0

BackgroundTask = Callable[[], Awaitable[None]]
"""Called for each start; runs until cancelled."""

logger = get_logger(__name__)


def get_heartbeat_path(name: str) -> Path:
    return Path(tempfile.gettempdir()) / f"{name}-background-alive"


async def run_background(name: str, tasks: Mapping[str, BackgroundTask]) -> None:
    """Run all tasks until SIGTERM or SIGINT, then give them ten seconds to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    supervisors = [Supervisor(task_name, task) for task_name, task in tasks.items()]
    running = [asyncio.create_task(item.run(), name=item.name) for item in supervisors]
    heartbeat = asyncio.create_task(keep_heartbeat(get_heartbeat_path(name), supervisors))
    logger.info("background_started", tasks=list(tasks))
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        await _stop_tasks([*running, heartbeat])
        logger.info("background_stopped")


class Supervisor:
    """Keeps one task running."""

    def __init__(self, name: str, task: BackgroundTask) -> None:
        self.name = name
        self.is_running = False
        self._task = task

    async def run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            started_at = time.monotonic()
            await self._run_once()
            if time.monotonic() - started_at > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _run_once(self) -> None:
        self.is_running = True
        try:
            await self._task()
        except Exception:
            # The edge of the process: whatever it is, it is told once and the others go on.
            logger.exception("background_task_crashed", task=self.name)
        else:
            logger.error("background_task_ended", task=self.name)
        finally:
            self.is_running = False


async def keep_heartbeat(path: Path, supervisors: list[Supervisor]) -> None:
    """Touch the file while every task runs; a file that grows old makes the process unhealthy."""
    try:
        while True:
            if all(supervisor.is_running for supervisor in supervisors):
                path.touch()  # noqa: ASYNC240 - a memory file system, or as good as one
            await asyncio.sleep(HEARTBEAT_SECONDS)
    finally:
        path.unlink(missing_ok=True)  # noqa: ASYNC240


async def _stop_tasks(tasks: "list[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
    _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
    if late:
        logger.error("background_tasks_late", tasks=[task.get_name() for task in late])
