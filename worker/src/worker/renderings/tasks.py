from uuid import UUID

from celery import shared_task

from worker.client import get_owners
from worker.constants import TaskName
from worker.renderings.constants import SOFT_TIME_LIMIT, TIME_LIMIT
from worker.tasks import JobTask


@shared_task(base=JobTask, name=TaskName.RENDER_POST, soft_time_limit=SOFT_TIME_LIMIT, time_limit=TIME_LIMIT)
def render_post(rendering_id: str) -> None:
    # Here, so that the workers of the other queues, which know this task too, do without parser and highlighter.
    from worker.renderings import service  # noqa: PLC0415

    service.render_post(get_owners().posts, UUID(rendering_id))
