from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel


class DueJob(CustomModel):
    """A job whose time has come: a hint that was lost, a try whose pause is over, a lease that ran out."""

    task: str = Field(max_length=100)
    job_id: UUID


class DueJobs(CustomModel):
    items: list[DueJob] = Field(max_length=1000)
