"""One process of the platform: what to run, and how it fares."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Final

from embedded.accounts import Account
from embedded.processes import read_last_words, spawn

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 10.0
# Who ran that long starts again with the shortest pause.
STEADY_SECONDS: Final = 30.0
CONFIG_EXIT_CODE: Final = 78


class State(Enum):
    """How a process fares."""

    WAITING = auto()  # for those it needs, or for its pause to be over
    STARTING = auto()
    READY = auto()
    DONE = auto()
    STOPPED = auto()


class Order(Enum):
    """In which order processes are ended: each before those it calls."""

    GATEWAY = 1
    WORKER = 2
    BACKGROUND = 3
    API = 4
    BACK_END = 5


@dataclass(frozen=True)
class ProcessPlan:
    """What to run. It starts when all it needs are ready; `once` means that it ends by itself, with exit code 0."""

    name: str
    argv: Sequence[str]
    order: Order
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    is_ready: Callable[[int], bool] = lambda _: True
    once: bool = False
    account: Account | None = None
    cwd: Path = Path("/")
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    patience_seconds: float = 12.0
    death_signal: signal.Signals = signal.SIGKILL


@dataclass(frozen=True)
class Exit:
    """The end of a process that nobody asked for."""

    name: str
    code: int
    last_words: str

    def __str__(self) -> str:
        if self.code < 0:
            # Its last words were about something else.
            return f"{self.name} was killed by {signal.Signals(-self.code).name}"
        return f"{self.name} ended with code {self.code}: {self.last_words}"


class Child:
    """Starts, watches and ends one process, which leads a process group of its own."""

    def __init__(self, plan: ProcessPlan, log: Path) -> None:
        self.plan = plan
        self.log = log
        self.state = State.WAITING
        self.restarts = -1
        self.failures = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._not_before = 0.0
        self._log_offset = 0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def is_settled(self) -> bool:
        """Whether what needs this process may start."""
        return self.state is (State.DONE if self.plan.once else State.READY)

    def start_when_due(self) -> None:
        """Start, unless the pause after the last failure is not over."""
        if self.state is not State.WAITING or time.monotonic() < self._not_before:
            return
        self._log_offset = self.log.stat().st_size if self.log.exists() else 0
        plan = self.plan
        self._process = spawn(
            plan.argv,
            log=self.log,
            account=plan.account,
            cwd=plan.cwd,
            env=plan.env,
            death_signal=plan.death_signal,
        )
        self._started_at = time.monotonic()
        self.state = State.STARTING
        self.restarts += 1

    def check(self) -> Exit | None:
        """Look how it fares; returns its end when it just came, unasked."""
        if self._process is None:
            return None
        code = self._process.poll()
        if code is not None:
            return self._note_end(code)
        if self.state is State.STARTING and not self.plan.once and self.plan.is_ready(self._process.pid):
            self.state = State.READY
        return None

    def send_signal(self, number: signal.Signals) -> None:
        """Signal the process itself, and wake it if somebody paused it."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)

    def has_ended(self) -> bool:
        """Say whether the process is gone; then whatever it left in its group is gone too."""
        if self._process and self._process.poll() is None:
            return False
        self._end_group()
        self.state = State.STOPPED
        return True

    def _note_end(self, code: int) -> Exit | None:
        self._end_group()
        if self.plan.once and code == 0:
            self.state = State.DONE
            return None
        self.state = State.WAITING
        self.failures = 1 if time.monotonic() - self._started_at > STEADY_SECONDS else self.failures + 1
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1), LONGEST_PAUSE_SECONDS)
        self._not_before = time.monotonic() + pause
        return Exit(self.plan.name, code, read_last_words(self.log, self._log_offset))

    def _end_group(self) -> None:
        """Its own children are of no use without it, and would keep its port or its queue."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None
