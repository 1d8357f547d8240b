"""The life of a job, each step one statement that the database decides, by the database's clock alone."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, literal_column, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.jobs.exceptions import JobNotClaimableError, JobNotFoundError, StaleFenceError
from chassis.jobs.models import JobMixin, JobState, is_claimable, is_due, is_exhausted

JobT = TypeVar("JobT", bound=JobMixin)
Values = Mapping[str, Any]

MIN_BACKOFF_SECONDS = 5
MAX_BACKOFF_SECONDS = 900
MAX_ERROR_LENGTH = 2000
LEASE_LOST = "the lease ran out and no attempt is left"


async def claim_job(
    session: AsyncSession,
    model: type[JobT],
    job_id: UUID,
    *,
    lease: timedelta | None = None,
    where: ColumnElement[bool] | None = None,
    values: Values | None = None,
) -> JobT:
    """Lease the job to the caller under a new fence, for `model.LEASE` unless said otherwise.

    `where` narrows what may be claimed, `values` sets further columns. Raises JobNotFoundError, JobNotClaimableError.
    """
    lease_ends_at = func.now() + (lease or model.LEASE)
    claimed = await _update_job(
        session,
        model,
        (model.id == job_id, is_claimable(model), true() if where is None else where),
        {
            "state": JobState.RUNNING,
            "attempts": model.attempts + 1,
            "fence": model.fence + 1,
            "lease_ends_at": lease_ends_at,
            "next_at": lease_ends_at,
            **(values or {}),
        },
    )
    if claimed is None:
        await _get_job_or_raise(session, model, job_id)
        raise JobNotClaimableError
    return claimed


async def complete_job(
    session: AsyncSession, model: type[JobT], job_id: UUID, *, fence: int, values: Values | None = None
) -> JobT | None:
    """Record success; None when this very report was recorded before (its answer was lost): do nothing more.

    A lease that is over does no harm while nobody else claimed. Raises JobNotFoundError, StaleFenceError.
    """
    done = {
        "state": JobState.DONE,
        "finished_at": func.now(),
        "lease_ends_at": None,
        "last_error": None,
        **(values or {}),
    }
    return await _finish_attempt(session, model, job_id, fence, done, repeated=(JobState.DONE,))


async def fail_job(
    session: AsyncSession,
    model: type[JobT],
    job_id: UUID,
    *,
    fence: int,
    error: str,
    permanent: bool = False,
    values: Values | None = None,
) -> JobT | None:
    """Queue it again after a backoff, or end it as dead: when `permanent`, or no attempt is left.

    None when this very report was recorded before. Raises JobNotFoundError, StaleFenceError.
    """
    is_over = true() if permanent else is_exhausted(model)
    failed = {
        "state": case((is_over, JobState.DEAD), else_=JobState.QUEUED),
        "finished_at": case((is_over, func.now()), else_=None),
        "next_at": func.now() + _compute_backoff(model),
        "lease_ends_at": None,
        "last_error": _clean_error(error),
        **(values or {}),
    }
    return await _finish_attempt(session, model, job_id, fence, failed, repeated=(JobState.QUEUED, JobState.DEAD))


async def list_due_jobs(
    session: AsyncSession, model: type[JobMixin], *, limit: int = 100, where: ColumnElement[bool] | None = None
) -> Sequence[UUID]:
    """Ids of the jobs that a worker would be given now, the longest waiting first."""
    statement = (
        select(model.id)
        .where(is_due(model), is_claimable(model), true() if where is None else where)
        .order_by(model.next_at)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def bury_jobs(
    session: AsyncSession,
    model: type[JobT],
    *,
    where: ColumnElement[bool] | None = None,
    error: str = LEASE_LOST,
) -> Sequence[JobT]:
    """End jobs whose worker never came back: those without another attempt, or those that `where` picks instead."""
    lost = (is_due(model), model.state == JobState.RUNNING, model.lease_ends_at < func.now())
    values = {"state": JobState.DEAD, "finished_at": func.now(), "lease_ends_at": None, "last_error": error}
    return await _update_jobs(session, model, (*lost, is_exhausted(model) if where is None else where), values)


async def _finish_attempt(
    session: AsyncSession,
    model: type[JobT],
    job_id: UUID,
    fence: int,
    values: Values,
    *,
    repeated: tuple[JobState, ...],
) -> JobT | None:
    is_mine = (model.id == job_id, model.fence == fence, model.state == JobState.RUNNING)
    job = await _update_job(session, model, is_mine, values)
    if job is not None:
        return job
    stored = await _get_job_or_raise(session, model, job_id)
    if stored.fence != fence or stored.state not in repeated:
        raise StaleFenceError
    return None


async def _get_job_or_raise(session: AsyncSession, model: type[JobT], job_id: UUID) -> JobT:
    job = await session.get(model, job_id, populate_existing=True)
    if job is None:
        raise JobNotFoundError
    return job


async def _update_job(
    session: AsyncSession, model: type[JobT], where: Sequence[ColumnElement[bool]], values: Values
) -> JobT | None:
    return next(iter(await _update_jobs(session, model, where, values)), None)


async def _update_jobs(
    session: AsyncSession, model: type[JobT], where: Sequence[ColumnElement[bool]], values: Values
) -> Sequence[JobT]:
    statement = update(model).where(*where).values(**values).returning(model)
    options = {"synchronize_session": False, "populate_existing": True}
    return (await session.scalars(statement, execution_options=options)).all()


def _compute_backoff(model: type[JobMixin]) -> ColumnElement[Any]:
    """Full jitter between 5 s and a bound that doubles with each attempt up to 15 minutes."""
    bound = func.least(MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS * func.power(2, model.attempts))
    seconds = MIN_BACKOFF_SECONDS + func.random() * (bound - MIN_BACKOFF_SECONDS)
    backoff: ColumnElement[Any] = seconds * literal_column("interval '1 second'")
    return backoff


def _clean_error(error: str) -> str:
    return error.replace("\x00", "")[:MAX_ERROR_LENGTH]
