"""A file for each queue that was touched when a task of that queue last ran.

A worker whose consumer has stalled looks alive to its supervisor and to `ping`; only work done shows that it consumes.
No settings class here: the health check runs every few seconds and must not pay for pydantic.
"""

import os
import tempfile
import time
from pathlib import Path

STALE_SECONDS = 60.0
"""Four canaries in a row did not run."""


def get_state_dir() -> Path:
    """Where the worker's processes leave files for one another (`WORKER_STATE_DIR`); on a tmpfs in containers."""
    return Path(os.environ.get("WORKER_STATE_DIR") or Path(tempfile.gettempdir()) / "broadsheet-worker")


def touch_canary(name: str) -> None:
    path = get_state_dir() / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch()


def compute_age(name: str) -> float | None:
    """Seconds since the file was touched; None when it never was."""
    try:
        return max(0.0, time.time() - (get_state_dir() / name).stat().st_mtime)
    except FileNotFoundError:
        return None


def is_fresh(name: str) -> bool:
    age = compute_age(name)
    return age is not None and age < STALE_SECONDS
