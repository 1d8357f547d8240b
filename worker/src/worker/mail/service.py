"""One mail: claimed, built, handed to the mail hop, reported."""

import os
from functools import lru_cache
from uuid import UUID

from chassis.config import load_config
from chassis.http.sync import SyncServiceClient
from worker.jobs import claim_job
from worker.mail.client import SmtpClient
from worker.mail.config import SmtpConfig
from worker.mail.schemas import EmailClaim, EmailContent
from worker.mail.utils import build_mail


def send_email(owner: SyncServiceClient, smtp: SmtpClient, email_id: UUID) -> None:
    """Raises a JobError when the hop did not take it, UpstreamError when its owner did not let us or is away."""
    with claim_job(owner, "emails", email_id, EmailClaim) as job:
        content = EmailContent.model_validate(job.get_input("content"))
        reply = smtp.send(build_mail(job.claim, content), before_dot=job.report_point_of_no_return)
        job.report_result(smtp_reply=reply)


@lru_cache(maxsize=1)
def get_smtp_client() -> SmtpClient:
    """The connection of this process, made on first use."""
    return SmtpClient(load_config(SmtpConfig))


os.register_at_fork(after_in_child=get_smtp_client.cache_clear)
