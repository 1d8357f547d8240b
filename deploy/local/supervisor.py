"""Starts all processes, each as soon as what it needs is ready, keeps them running, and ends them in order."""

import json
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deploy.local.child import CONFIG_EXIT_CODE, Child, Exit, Order, ProcessPlan
from deploy.local.console import LogWatch, print_line, print_log_lines

STARTING_TICK_SECONDS: Final = 0.05
RUNNING_TICK_SECONDS: Final = 0.2
# A process that ended so often before everything was ready will not come up.
START_TRIES: Final = 3
LARGEST_LOG_BYTES: Final = 10_000_000


class StartupError(Exception):
    """The platform did not come up; the message is one line."""


class Supervisor:
    """Runs in one thread: the kernel ends each child when the thread that started it ends."""

    def __init__(self, plans: Sequence[ProcessPlan], logs: Path, *, verbose: bool = False) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.children = {plan.name: Child(plan, _open_log(logs, plan.name)) for plan in plans}
        self.on_change: Callable[[], None] = lambda: None
        self._watches = {name: LogWatch(child.log) for name, child in self.children.items()}
        self._verbose = verbose
        self._requests = 0
        # What a signal writes to the one end wakes a pause at the other.
        self._wake, self._alarm = os.pipe()
        os.set_blocking(self._alarm, False)

    def listen_for_signals(self) -> None:
        """From now on SIGINT, SIGTERM and SIGHUP ask for the end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: self.request_end())
        # A child that ended is noticed at once.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._alarm, warn_on_full_buffer=False)

    def request_end(self) -> None:
        """Ask for the end; asked a second time, nobody is waited for any more."""
        self._requests += 1

    @property
    def must_end(self) -> bool:
        """Whether somebody asked for the end."""
        return self._requests > 0

    def start(self, is_ready: Callable[[], bool], patience_seconds: float) -> None:
        """Start everything; returns when all is ready or the end is asked for. Raises StartupError."""
        deadline = time.monotonic() + patience_seconds
        while not self.must_end:
            for ended in self._tick():
                self._judge_early_end(ended)
            if all(child.is_settled for child in self.children.values()) and is_ready():
                return
            if time.monotonic() > deadline:
                late = [name for name, child in self.children.items() if not child.is_settled] or ["the gateway"]
                message = f"not ready after {patience_seconds:.0f} s: {', '.join(late)}"
                raise StartupError(message)
            self._pause(STARTING_TICK_SECONDS)

    def run(self) -> None:
        """Keep everything running until the end is asked for."""
        while not self.must_end:
            for ended in self._tick():
                print_line("make run", f"{ended}; starting it again")
            self._pause(RUNNING_TICK_SECONDS)

    def stop(self) -> None:
        """End all processes, those first that call others; returns when none is left."""
        for order in Order:
            group = [child for child in self.children.values() if child.plan.order is order]
            self._stop_group(group)
        self._show_logs()

    def describe(self) -> dict[str, dict[str, int | None]]:
        """Return process id and number of restarts of each process that is meant to run."""
        return {
            name: {"pid": child.pid, "restarts": max(child.restarts, 0)}
            for name, child in self.children.items()
            if not child.plan.once
        }

    def _tick(self) -> list[Exit]:
        before = [child.pid for child in self.children.values()]
        for child in self.children.values():
            if all(self.children[name].is_settled for name in child.plan.needs) or child.restarts >= 0:
                self._start_child(child)
        ends = [ended for child in self.children.values() if (ended := child.check())]
        self._show_logs()
        if before != [child.pid for child in self.children.values()]:
            self.on_change()
        return ends

    def _start_child(self, child: Child) -> None:
        try:
            child.start_when_due()
        except OSError as error:
            message = f"{child.plan.name} cannot be started: {error}"
            raise StartupError(message) from error

    def _judge_early_end(self, ended: Exit) -> None:
        child = self.children[ended.name]
        if ended.code == CONFIG_EXIT_CODE or child.plan.once or child.failures >= START_TRIES:
            raise StartupError(str(ended))
        print_line("make run", f"{ended}; starting it again")

    def _stop_group(self, group: Sequence[Child]) -> None:
        for step in range(max((len(child.plan.stop_signals) for child in group), default=0)):
            for child in group:
                child.send_signal(child.plan.stop_signals[min(step, len(child.plan.stop_signals) - 1)])
            patience = max(child.plan.patience_seconds for child in group)
            if self._wait_for_end(group, patience):
                return
        for child in group:
            child.send_signal(signal.SIGKILL)
        self._wait_for_end(group, patience_seconds=5)

    def _wait_for_end(self, group: Sequence[Child], patience_seconds: float) -> bool:
        deadline = time.monotonic() + patience_seconds
        while [child for child in group if not child.has_ended()]:
            if time.monotonic() > deadline or self._requests > 1:
                return False
            self._pause(STARTING_TICK_SECONDS)
        return True

    def _pause(self, seconds: float) -> None:
        if select.select([self._wake], [], [], seconds)[0]:
            os.read(self._wake, 4096)

    def _show_logs(self) -> None:
        for name, watch in self._watches.items():
            print_log_lines(name, watch.read_lines(), everything=self._verbose)


def write_state(path: Path, state: object) -> None:
    """Write the file that tests read, whole or not at all; it is for its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(state, indent=2) + "\n")
    draft.replace(path)


def _open_log(logs: Path, name: str) -> Path:
    log = logs / f"{name}.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    log.touch()
    return log
