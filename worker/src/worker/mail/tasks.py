from uuid import UUID

from celery import shared_task

from worker.client import get_owners
from worker.constants import TaskName
from worker.mail import service
from worker.mail.constants import SOFT_TIME_LIMIT, TIME_LIMIT
from worker.tasks import JobTask


@shared_task(base=JobTask, name=TaskName.SEND_EMAIL, soft_time_limit=SOFT_TIME_LIMIT, time_limit=TIME_LIMIT)
def send_email(email_id: str) -> None:
    service.send_email(get_owners().notifications, service.get_smtp_client(), UUID(email_id))
