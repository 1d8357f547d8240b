"""What is due, for the sweep of the worker's scheduler: it re-sends hints that were lost."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.jobs.service import list_due_jobs
from chassis.jobs.sources import JobSource
from chassis.problems import problem_responses
from chassis.schemas import CustomModel
from chassis.security.dependencies import require_service_scope
from chassis.security.exceptions import InsufficientScopeError, TokenMissingError

MAX_DUE_JOBS = 100


class DueJob(CustomModel):
    """A hint: which task to send to which queue, with which one argument."""

    task: str = Field(max_length=100)
    queue: str = Field(max_length=50)
    job_id: UUID


class DueJobs(CustomModel):
    items: list[DueJob] = Field(max_length=MAX_DUE_JOBS)


def create_due_jobs_router(sources: Sequence[JobSource]) -> APIRouter:
    router = create_router(prefix="/internal", tags=["internal"])

    @router.get(
        "/jobs/due",
        summary="List due jobs",
        description="Jobs that a worker would be given now, the longest waiting of each kind first.",
        response_description="Hints to send; none when nothing waits.",
        responses=problem_responses(TokenMissingError, InsufficientScopeError),
        dependencies=[Depends(require_service_scope("jobs:work"))],
    )
    async def list_due(
        session: SessionDep, limit: Annotated[int, Query(ge=1, le=MAX_DUE_JOBS)] = MAX_DUE_JOBS
    ) -> DueJobs:
        """List due jobs."""
        items: list[DueJob] = []
        # A share each: a backlog of one kind must not keep the others from being seen.
        share = max(1, limit // len(sources))
        for source in sources:
            ids = await list_due_jobs(session, source.model, limit=share, where=source.claimable)
            items += [DueJob(task=source.task_name, queue=source.queue, job_id=job_id) for job_id in ids]
        return DueJobs(items=items[:limit])

    return router
