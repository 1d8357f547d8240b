"""Celery's side of a hint. The one place in the chassis that knows Celery, which is the extra `hints`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError
from redis.exceptions import RedisError

APP_NAME = "broadsheet"
SOCKET_SECONDS = 0.5
# One number for every app that shares the broker: the shortest of all wins.
VISIBILITY_SECONDS = 3600

BROKER_ERRORS: Final = (OperationalError, RedisError, OSError)


@dataclass(frozen=True, slots=True)
class Hint:
    """That a job is due. `traceparent` lets the worker go on with the trace of the request that made the job."""

    task: str
    queue: str
    job_id: UUID
    traceparent: str | None = None


def create_publisher(broker_url: str) -> Celery:
    """An app that only sends, and gives up at once: whoever waits for a broker here holds up everything behind."""
    app = Celery(APP_NAME, broker=broker_url, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_publish_retry=False,
        task_serializer="json",
        accept_content=["json"],
        broker_connection_retry=False,
        broker_connection_timeout=SOCKET_SECONDS,
        broker_pool_limit=1,
        broker_transport_options={
            "socket_timeout": SOCKET_SECONDS,
            "socket_connect_timeout": SOCKET_SECONDS,
            "socket_keepalive": True,
            "retry_on_timeout": False,
            "max_retries": 0,
            "visibility_timeout": VISIBILITY_SECONDS,
        },
    )
    return app


class HintBroker:
    """Blocking: call it from a thread of its own. Raises one of BROKER_ERRORS."""

    def __init__(self, broker_url: str) -> None:
        self._app = create_publisher(broker_url)

    def count_waiting(self, queue: str) -> int:
        """Hints in the queue that no worker has taken yet."""
        with self._app.producer_pool.acquire(block=True, timeout=SOCKET_SECONDS) as producer:
            channel: Any = producer.channel
            try:
                return int(channel.queue_declare(queue=queue, passive=True).message_count)
            except ChannelError:
                return 0  # Redis knows no empty list

    def send_hints(self, hints: Sequence[Hint]) -> None:
        """Some may have gone out before an error: a hint too many does nothing."""
        with self._app.producer_pool.acquire(block=True, timeout=SOCKET_SECONDS) as producer:
            for hint in hints:
                self._send_hint(hint, producer)

    def close(self) -> None:
        self._app.close()

    def _send_hint(self, hint: Hint, producer: Any) -> None:
        self._app.send_task(
            hint.task,
            args=[str(hint.job_id)],
            queue=hint.queue,
            headers={"traceparent": hint.traceparent},
            producer=producer,
            retry=False,
            ignore_result=True,
        )
