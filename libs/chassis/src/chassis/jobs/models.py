"""The columns that make a table one of jobs."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ColumnElement, Index, and_, func, literal_column, or_, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from chassis.context import get_traceparent


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


OPEN_STATES = "state IN ('queued', 'running')"


class JobMixin:
    """For a model on `Base`. With table arguments of your own: `(*JobMixin.get_job_arguments(), ...)`.

    `next_at` is when to look at the row next: its turn while queued, the end of its lease while running.
    """

    MAX_ATTEMPTS: ClassVar[int] = 5
    LEASE: ClassVar[timedelta] = timedelta(minutes=2)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7(), sort_order=-1)
    state: Mapped[str] = mapped_column(server_default=JobState.QUEUED)
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_ends_at: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    hinted_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    traceparent: Mapped[str | None] = mapped_column(default=get_traceparent)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]

    @staticmethod
    def get_job_arguments() -> tuple[Any, ...]:
        states = ", ".join(f"'{state}'" for state in JobState)
        return (
            CheckConstraint(f"state IN ({states})", name="state"),
            Index(None, "next_at", postgresql_where=text(OPEN_STATES)),
        )

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return cls.get_job_arguments()


def is_open() -> ColumnElement[bool]:
    """In the words of the partial index: with parameters the planner could not tell that it applies."""
    return literal_column(OPEN_STATES, Boolean())


def is_due(model: type[JobMixin]) -> ColumnElement[bool]:
    return and_(is_open(), model.next_at <= func.now())


def is_claimable(model: type[JobMixin]) -> ColumnElement[bool]:
    """Queued and its turn has come, or left behind by a worker whose lease is over; never beyond its attempts."""
    queued = and_(model.state == JobState.QUEUED, model.next_at <= func.now())
    abandoned = and_(model.state == JobState.RUNNING, model.lease_ends_at < func.now())
    return and_(or_(queued, abandoned), model.attempts < model.MAX_ATTEMPTS)


def is_exhausted(model: type[JobMixin]) -> ColumnElement[bool]:
    """The last worker that may try it never came back."""
    return model.attempts >= model.MAX_ATTEMPTS
