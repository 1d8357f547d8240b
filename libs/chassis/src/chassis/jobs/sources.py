"""Where jobs come from: one table, its Celery task and queue."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement

from chassis.jobs.models import JobMixin


@dataclass(frozen=True, slots=True, eq=False)
class JobSource:
    """`claimable` narrows what is hinted at to what a claim would be given (see `claim_job(where=)`)."""

    model: type[JobMixin]
    task_name: str
    queue: str
    claimable: ColumnElement[bool] | None = None
