"""The Celery application. A message is a hint and may be lost or come twice: the truth of a job is its owner's row.

Settings follow docs/adr on tasks as hints; each says why it is there.
"""

from typing import Any, Final

from celery import Celery
from kombu import Exchange, Queue

from chassis.config import load_config
from chassis.jobs.broker import APP_NAME, VISIBILITY_SECONDS
from worker.config import WorkerConfig
from worker.constants import QueueName, TaskName
from worker.signals import connect_signals

TASK_MODULES: Final = (
    "worker.avatars.tasks",
    "worker.exports.tasks",
    "worker.mail.tasks",
    "worker.renderings.tasks",
    "worker.sweeps.tasks",
)
SWEEP_SECONDS: Final = 5.0
CANARY_SECONDS: Final = 15.0

BROKER_OPTIONS: Final = {
    "visibility_timeout": VISIBILITY_SECONDS,
    # The defaults wait for ever for a broker that hangs.
    "socket_connect_timeout": 1,
    # More than the second that a blocking pop waits, or every idle moment would look like a dead broker.
    "socket_timeout": 10,
    "socket_keepalive": True,
    "health_check_interval": 15,
}

SETTINGS: Final[dict[str, Any]] = {
    # --- messages
    # Pickle would run whatever code somebody who reaches the broker has put there.
    "accept_content": ["json"],
    "task_serializer": "json",
    "result_serializer": "json",
    # Nobody waits for a result: outcomes are reported by REST. Nothing to leak, nothing to evict.
    "task_ignore_result": True,
    # Late acks save nothing at a SIGKILL (measured), but start tasks again when the visibility timeout is over.
    "task_acks_late": False,
    # A task that kills its process would come back for ever; attempts are counted in the owner's row instead.
    "task_reject_on_worker_lost": False,
    # A hint that cannot be sent now is sent by the next sweep.
    "task_publish_retry": False,
    # --- queues
    "task_default_queue": QueueName.DEFAULT,
    "task_create_missing_queues": False,
    # No exchange is named: a direct queue is then a plain list, whose messages no wiped binding table can divert.
    "task_routes": {
        TaskName.SEND_EMAIL: {"queue": QueueName.MAIL},
        TaskName.RENDER_POST: {"queue": QueueName.CPU},
        TaskName.RESIZE_AVATAR: {"queue": QueueName.CPU},
        TaskName.BUILD_EXPORT: {"queue": QueueName.CPU},
        TaskName.RESEND_HINTS: {"queue": QueueName.DEFAULT},
        TaskName.TOUCH_CANARY: {"queue": QueueName.DEFAULT},
    },
    # --- what a process holds
    # What is not fetched cannot be lost in the memory of a killed process.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    # Leaks end with the child, and one child at most runs out of memory.
    "worker_max_tasks_per_child": 500,
    "worker_max_memory_per_child": 250_000,
    # --- the end of a process (with REMAP_SIGTERM=SIGQUIT, which `python -m worker` sets)
    # SIGTERM: fetch nothing more, let what runs finish for WORKER_DRAIN_SECONDS (`create_app`), then end it.
    # It would make an idle worker wait the whole time too. It is for tasks with an eta, of which there are none here.
    "worker_enable_soft_shutdown_on_idle": False,
    # --- a broker that comes and goes
    "broker_transport_options": BROKER_OPTIONS,
    # The default gives up after a hundred tries, and the process lives on without consuming.
    "broker_connection_max_retries": None,
    "broker_connection_retry_on_startup": True,
    "broker_channel_error_retry": True,
    # Matters only for late acks; the default from Celery 6, said here so that no warning tells it.
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    # --- fewer moving parts: each of these is one more pub/sub connection that can stall or wake an idle process
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "task_send_sent_event": False,
    # Standard output is for our log lines; Celery would wrap it into loggers of its own.
    "worker_redirect_stdouts": False,
    "worker_hijack_root_logger": False,
    "timezone": "UTC",
}


def create_queues() -> list[Queue]:
    """One direct queue each. Without a routing key of its own, each queue would get the messages of all.

    Nothing is acknowledged: a hint may be lost. An acknowledgement that met a connection just lost was swallowed
    together with the loss, and the worker waited for ever on a connection that was gone.
    """
    return [Queue(name, Exchange(name, type="direct"), routing_key=name, no_ack=True) for name in QueueName]


def create_schedule() -> dict[str, dict[str, Any]]:
    """Nothing here is worth running late: what nobody took before its successor comes is dropped."""
    canaries = {
        f"canary-{queue}": {
            "task": TaskName.TOUCH_CANARY,
            "schedule": CANARY_SECONDS,
            "options": {"queue": queue, "expires": CANARY_SECONDS},
        }
        for queue in QueueName
    }
    sweep = {"task": TaskName.RESEND_HINTS, "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}}
    return {"resend-hints": sweep, **canaries}


def create_app(config: WorkerConfig) -> Celery:
    celery = Celery(APP_NAME, broker=config.redis_url.get_secret_value(), include=TASK_MODULES, set_as_current=True)
    celery.conf.update(
        SETTINGS,
        task_queues=create_queues(),
        beat_schedule=create_schedule(),
        worker_soft_shutdown_timeout=config.worker_drain_seconds,
    )
    connect_signals()
    return celery


app = create_app(load_config(WorkerConfig))
