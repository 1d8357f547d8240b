from celery import shared_task

from worker.client import get_owners
from worker.constants import TaskName
from worker.sweeps import service
from worker.sweeps.constants import SOFT_TIME_LIMIT, TIME_LIMIT
from worker.tasks import JobTask


@shared_task(
    bind=True,
    base=JobTask,
    name=TaskName.RESEND_HINTS,
    soft_time_limit=SOFT_TIME_LIMIT,
    time_limit=TIME_LIMIT,
    is_routine=True,
)
def resend_hints(self: JobTask) -> None:
    service.resend_hints(self.app, get_owners().list_all())


@shared_task(
    base=JobTask, name=TaskName.TOUCH_CANARY, soft_time_limit=SOFT_TIME_LIMIT, time_limit=TIME_LIMIT, is_routine=True
)
def touch_canary() -> None:
    """Shows that its queue is consumed: the base class touches the file of the queue after every task."""
