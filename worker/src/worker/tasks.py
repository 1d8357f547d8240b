"""The one base class of tasks: context, log line, metrics, and what an error means. Bodies stay calls to services."""

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from celery import Task

from chassis.context import bind_context
from chassis.http.exceptions import UpstreamUnavailableError
from chassis.logs import get_logger, log_context
from worker.canary import touch_canary
from worker.constants import Outcome, QueueName
from worker.exceptions import JobError
from worker.jobs import is_taken
from worker.metrics import create_task_histogram

if TYPE_CHECKING:
    BaseTask = Task[..., str | None]
else:
    BaseTask = Task

# Less than the hard limit: calls end before the process does.
DEADLINE_MARGIN = 5.0
QUEUES = tuple(QueueName)
TASK_SECONDS = create_task_histogram()

logger = get_logger("worker.tasks")


class JobTask(BaseTask):
    """A task is a hint. It takes one uuid or nothing, may run twice or never, and its result is nobody's concern."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        """Run the body once. Returns its outcome; raises only what nobody expected."""
        headers = self.request.headers or {}
        started_at = time.perf_counter()
        with (
            bind_context(
                request_id=headers.get("request_id"),
                traceparent=headers.get("traceparent"),
                seconds=None if self.time_limit is None else self.time_limit - DEADLINE_MARGIN,
            ),
            log_context(task=self.name, task_id=self.request.id, **describe_job(args)),
        ):
            outcome = Outcome.FAILED
            try:
                outcome = self._run_body(args, kwargs)
                return outcome
            finally:
                self._finish(outcome, time.perf_counter() - started_at)

    def _run_body(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outcome:
        try:
            # A uuid becomes part of a path at its owner, and whoever reaches the broker may write anything.
            self.run(*(str(UUID(job_id)) for job_id in args), **kwargs)
        except JobError as error:
            logger.warning("job_not_done", reason=str(error), permanent=error.permanent)
            return error.outcome
        except UpstreamUnavailableError as error:
            logger.warning("job_owner_away", reason=str(error))
            return Outcome.OWNER_AWAY
        except Exception as error:
            if is_taken(error):
                logger.info("job_not_ours", reason=str(error))
                return Outcome.SKIPPED
            logger.exception("job_failed")
            raise
        return Outcome.DONE

    def _finish(self, outcome: Outcome, seconds: float) -> None:
        TASK_SECONDS.labels(self.name, outcome).observe(seconds)
        # Also a failed task proves that this queue is consumed.
        queue = (self.request.delivery_info or {}).get("routing_key")
        # The name becomes a file's, and whoever reaches the broker may write anything.
        if queue in QUEUES:
            touch_canary(queue)
        log = logger.debug if self.is_routine else logger.info
        log("task_finished", outcome=str(outcome), milliseconds=round(seconds * 1000, 1))

    is_routine: bool = False
    """Runs every few seconds for ever: its log line is for debugging."""


def describe_job(args: tuple[Any, ...]) -> dict[str, str]:
    return {"job_id": str(args[0])} if args else {}
