"""The sweep: asks each owner what is due and sends the hints that were lost, so that a wiped broker costs seconds."""

from collections.abc import Sequence
from typing import Any

from celery import Celery
from kombu import Connection
from pydantic import ValidationError

from chassis.http.exceptions import UpstreamError
from chassis.http.sync import SyncServiceClient
from chassis.logs import get_logger
from worker.constants import TaskName
from worker.sweeps.constants import DUE_LIMIT, HINT_EXPIRES_SECONDS, MAX_QUEUE_LENGTH
from worker.sweeps.schemas import DueJob, DueJobs

JOB_TASKS = (TaskName.SEND_EMAIL, TaskName.RENDER_POST, TaskName.RESIZE_AVATAR, TaskName.BUILD_EXPORT)
"""What an owner may ask for by name."""

logger = get_logger(__name__)


def resend_hints(app: Celery, owners: Sequence[SyncServiceClient]) -> int:
    """Returns how many were sent. An owner that is away is asked again by the next sweep."""
    jobs = [job for owner in owners for job in list_due_jobs(owner)]
    if not jobs:
        return 0
    with app.connection_for_write() as connection:
        return sum(send_hints(app, connection, task, jobs) for task in JOB_TASKS)


def list_due_jobs(owner: SyncServiceClient) -> list[DueJob]:
    try:
        jobs = DueJobs.model_validate(owner.get_json("/internal/jobs/due", params={"limit": DUE_LIMIT})).items
    except (UpstreamError, ValidationError) as error:
        # Its alone: what the others have to do is not held up.
        logger.warning("due_jobs_unknown", owner=owner.target, reason=str(error))
        return []
    for name in {job.task for job in jobs} - set(JOB_TASKS):
        logger.error("due_job_of_unknown_task", owner=owner.target, unknown_task=name)
    return jobs


def send_hints(app: Celery, connection: Connection, task: TaskName, jobs: Sequence[DueJob]) -> int:
    """Send the hints of one task, unless its queue is long already."""
    job_ids = [str(job.job_id) for job in jobs if job.task == task]
    queue = app.conf.task_routes[task]["queue"]
    if not job_ids or get_queue_length(connection, queue) > MAX_QUEUE_LENGTH:
        return 0
    with app.producer_pool.acquire(block=True) as producer:
        for job_id in job_ids:
            app.send_task(task, args=(job_id,), expires=HINT_EXPIRES_SECONDS, producer=producer)
    logger.info("hints_resent", hinted_task=str(task), count=len(job_ids))
    return len(job_ids)


def get_queue_length(connection: Connection, queue: str) -> int:
    # Not by declaring it passively: to Redis a queue without messages does not exist.
    client: Any = connection.default_channel.client  # type: ignore[attr-defined]
    return int(client.llen(queue))
