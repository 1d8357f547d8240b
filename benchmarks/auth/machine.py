"""Who takes the processors: this run and all that it started, or others."""

import contextlib
import time
from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds since some beginning: of the clock, of our processes, and of the whole machine, in processor time."""

    clock: float
    own: float
    all: float

    @classmethod
    def read(cls) -> Self:
        """All times at one moment, as nearly as they can be had."""
        times = psutil.cpu_times()
        busy = sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
        return cls(time.perf_counter(), read_own_seconds(), busy)

    def get_foreign_share(self, before: Self) -> float:
        """What others took of the machine since then, 0 to 1."""
        foreign = (self.all - before.all) - (self.own - before.own)
        return max(0.0, foreign / ((self.clock - before.clock) * (psutil.cpu_count() or 1)))


def read_own_seconds() -> float:
    """Processor time of this process and of its children that live."""
    seconds = time.process_time()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            seconds += times.user + times.system
    return seconds
