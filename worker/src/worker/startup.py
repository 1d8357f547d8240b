"""Starts Celery's programs as its command line would, which costs each process 5 MB of prompts and colours."""

import socket
import warnings
from typing import Final

from celery.exceptions import SecurityWarning

from chassis.config import BaseConfig, load_config
from chassis.http.config import ServiceClientConfig
from worker.app import app
from worker.config import LogConfig, MetricsConfig, OwnersConfig, WorkerConfig
from worker.mail.config import SmtpConfig

COMMON: Final[tuple[type[BaseConfig], ...]] = (WorkerConfig, LogConfig)
CALLING: Final[tuple[type[BaseConfig], ...]] = (*COMMON, OwnersConfig, ServiceClientConfig, MetricsConfig)
NEEDED: Final[dict[str, tuple[type[BaseConfig], ...]]] = {
    "mail": (*CALLING, SmtpConfig),
    "cpu": CALLING,
    "beat": COMMON,
}


def start_worker(name: str, queues: str, concurrency: int) -> int:
    """Consume until a signal comes; returns the exit code. Raises ConfigError before anything is started."""
    check_settings(name)
    # It is about pickle, which we do not take, and as root only those run it who have no other user.
    warnings.simplefilter("ignore", SecurityWarning)
    worker = app.Worker(
        hostname=f"{name}@{socket.gethostname()}",
        queues=queues,
        concurrency=concurrency,
        quiet=True,
        # Each is pub/sub between workers, which is where they stall, and of no use to ours.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def start_beat() -> int:
    """Send periodic hints until a signal comes. Raises ConfigError before anything is started."""
    check_settings("beat")
    app.Beat(scheduler="worker.beat:MemoryScheduler", quiet=True).run()
    return 0


def check_settings(name: str) -> None:
    """Read every setting of the process now, rather than in the first task that needs it. Raises ConfigError."""
    for config_class in NEEDED[name]:
        load_config(config_class)
