from uuid import UUID

from celery import shared_task

from worker.client import get_owners
from worker.constants import TaskName
from worker.exports import service
from worker.exports.constants import SOFT_TIME_LIMIT, TIME_LIMIT
from worker.tasks import JobTask


@shared_task(base=JobTask, name=TaskName.BUILD_EXPORT, soft_time_limit=SOFT_TIME_LIMIT, time_limit=TIME_LIMIT)
def build_export(export_id: str) -> None:
    owners = get_owners()
    service.build_export(owners.auth, owners.list_all(), UUID(export_id))
