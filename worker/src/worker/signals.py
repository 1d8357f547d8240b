"""What happens around tasks when a process of the worker starts."""

import gc
import importlib
import logging
from typing import Any

from celery import signals

from chassis.config import load_config
from chassis.logs import configure_logging
from worker.config import LogConfig, MetricsConfig
from worker.constants import QueueName
from worker.metrics import serve_metrics

# One line a task is enough, and the task's own has the context: these would say it again without.
REPEATING_LOGGERS = {"celery.worker.strategy": "WARNING", "celery.app.trace": "CRITICAL", "celery.beat": "WARNING"}
CPU_MODULES = ("worker.renderings.service",)


def connect_signals() -> None:
    signals.setup_logging.connect(set_up_logging)
    signals.worker_init.connect(prepare_fork)
    signals.worker_ready.connect(open_metrics)


def set_up_logging(**_: Any) -> None:
    """Connected, it also keeps Celery from setting up logging of its own."""
    config = load_config(LogConfig)
    configure_logging(config.log_level, config.log_format, service="worker")
    for name, level in REPEATING_LOGGERS.items():
        logging.getLogger(name).setLevel(level)


def prepare_fork(sender: Any, **_: Any) -> None:
    """Import what is heavy before the fork, where it is wanted: children share it, the other workers do without."""
    if QueueName.CPU in sender.app.amqp.queues.consume_from:
        for module in CPU_MODULES:
            importlib.import_module(module)
    # The collector writes to every object it looks at; what it need not look at stays shared with the children.
    gc.collect()
    gc.freeze()


def open_metrics(**_: Any) -> None:
    config = load_config(MetricsConfig)
    if config.metrics_port is not None:
        serve_metrics(config.metrics_host, config.metrics_port)
