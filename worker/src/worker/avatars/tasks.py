from uuid import UUID

from celery import shared_task

from worker.avatars.constants import SOFT_TIME_LIMIT, TIME_LIMIT
from worker.client import get_owners
from worker.constants import TaskName
from worker.tasks import JobTask


@shared_task(base=JobTask, name=TaskName.RESIZE_AVATAR, soft_time_limit=SOFT_TIME_LIMIT, time_limit=TIME_LIMIT)
def resize_avatar(avatar_id: str) -> None:
    # Here, so that the workers of the other queues, which know this task too, do without the decoders.
    from worker.avatars import service  # noqa: PLC0415

    service.resize_avatar(get_owners().auth, UUID(avatar_id))
