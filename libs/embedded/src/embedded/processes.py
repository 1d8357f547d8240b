"""Children that never outlive the process that started them."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from embedded.accounts import Account

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.02
# Loaded here, since nothing may be imported between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signal_number: signal.Signals) -> Callable[[], None]:
    """Return the hook a child runs before exec: the kernel sends it this signal when its parent ends, however that is.

    The kernel watches the thread that started the child, and forgets the setting when the child changes its user:
    start children from a thread that lives on, and change the user before (as `subprocess` does).
    """
    parent = os.getpid()

    def set_signal() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return set_signal


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    account: Account | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own (Ctrl-C does not reach it), with its output appended to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
            preexec_fn=die_with_parent(death_signal),  # noqa: PLW1509 -- one C call on memory that is ready
        )


def wait_for_start(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], timeout_seconds: float) -> bool:
    """Wait until the process is ready; False when it ended instead, or when the time is over."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if is_ready():
            return True
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
            return False
    return False


def stop_process(process: subprocess.Popen[bytes], *signals: signal.Signals, patience_seconds: float = 10) -> None:
    """Send the signals one after the other, each after waiting in vain for the one before, and SIGKILL at last."""
    for signal_number in (*signals, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(signal_number)
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            continue


def read_last_words(log: Path, offset: int = 0) -> str:
    """Return the line of a server's log that most likely says why it ended, read from `offset` on."""
    if not log.exists():
        return "it left no log"
    with log.open("rb") as stream:
        stream.seek(offset)
        lines = [line.strip() for line in stream.read().decode(errors="replace").splitlines() if line.strip()]
    # After its fatal line PostgreSQL goes on to tell how it shuts down, and SQLAlchemy where to read about an error.
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
    others = [line for line in lines if not line.startswith("(Background on this error")]
    return (fatal or others or ["it said nothing"])[-1]
