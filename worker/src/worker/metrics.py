"""Prometheus metrics of tasks. They are counted in the children of the pool and served by their parent."""

import os
import shutil

from billiard import current_process
from prometheus_client import CollectorRegistry, Histogram, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector

from worker.canary import get_state_dir

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def get_process_index() -> str:
    """The child's place in the pool, which its successor takes over: one file a place, not one a process."""
    return str(getattr(current_process(), "index", "parent"))


def share_metrics(queue: str) -> None:
    """Keep values in files that parent and children share. To be called before any metric is made."""
    folder = get_state_dir() / f"metrics-{queue}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ[DIRECTORY_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(get_process_index)  # type: ignore[no-untyped-call]


def serve_metrics(host: str, port: int) -> None:
    """Answer scrapes from a thread of this process; OSError when the port is taken."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=os.environ[DIRECTORY_VARIABLE])  # type: ignore[no-untyped-call]
    start_http_server(port, host, registry)


def create_task_histogram() -> Histogram:
    return Histogram(
        "worker_task_duration_seconds",
        "Time a task ran, by how it ended.",
        ("task", "outcome"),
        buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    )
