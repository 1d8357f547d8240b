"""Notices when the event loop stands still: nothing else runs meanwhile, and no timeout helps."""

import asyncio
import gc
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.logs import get_logger
from chassis.metrics import LOOP_LAG_SECONDS

STALL_SECONDS = 0.5
LOOKS = 4  # so few that an idle process stays idle; tests look closer
"""So often within the time that is too long the loop gives a sign of life, and the watcher looks for one."""
STACK_FRAMES = 12

OnStall = Callable[[str], None]
"""Called in the watcher's thread with the stack that the loop is in, once for each time it stands still."""

logger = get_logger(__name__)


def freeze_loaded_objects() -> None:
    """Once all code is loaded, let the garbage collector look no more at what came with it.

    It is never freed, and measured: a full collection that looks at it takes a quarter of a second or more.
    """
    gc.collect()
    gc.freeze()


def log_stall(stack: str) -> None:
    logger.warning("event_loop_stalled", stack=stack)


@contextmanager
def watch_loop(on_stall: OnStall = log_stall, seconds: float = STALL_SECONDS, *, looks: int = LOOKS) -> Iterator[None]:
    """Watch the running loop, from the thread that runs it."""
    watcher = LoopWatcher(on_stall, seconds, looks)
    watcher.start()
    try:
        yield
    finally:
        watcher.stop()


class LoopWatcher:
    """Beats in the loop, looks from a thread of its own.

    Time is counted in looks and in the loop's processor time, not by the clock: a machine that holds up the whole
    process is no fault of the code.
    """

    def __init__(self, on_stall: OnStall, seconds: float, looks: int) -> None:
        self._on_stall = on_stall
        self._seconds = seconds
        self._looks = looks
        self._pause = seconds / looks
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._loop_thread)
        self._beats = 0
        self._stopped = threading.Event()
        busy = time.clock_gettime(self._clock)
        self._thread = threading.Thread(target=self._watch, args=(busy,), name="loop-watcher", daemon=True)
        self._timer = self._loop.call_later(self._pause, self._beat)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._timer.cancel()
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        self._beats += 1
        LOOP_LAG_SECONDS.observe(max(0.0, self._loop.time() - self._timer.when()))
        self._timer = self._loop.call_later(self._pause, self._beat)

    def _watch(self, busy_since: float) -> None:
        beats, looks = 0, 0
        while not self._stopped.wait(self._pause):
            if self._beats != beats:
                beats, looks, busy_since = self._beats, 0, time.clock_gettime(self._clock)
                continue
            was_stalled = looks >= self._looks
            looks += 1
            # Code in C may hold back this thread as well: then only the processor time tells.
            if time.clock_gettime(self._clock) - busy_since >= self._seconds:
                looks = max(looks, self._looks)
            if looks >= self._looks and not was_stalled:
                self._on_stall(self._read_stack())

    def _read_stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - documented, for this purpose
        return "".join(traceback.format_list(traceback.extract_stack(frame)[-STACK_FRAMES:]))
