"""A table of jobs like any service's, with two columns of its own."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Mapped

from chassis.database.engine import Database
from chassis.database.models import Base
from chassis.jobs.models import JobMixin


class Chore(JobMixin, Base):
    __tablename__ = "chore"

    MAX_ATTEMPTS = 3
    LEASE = timedelta(seconds=60)

    dot_at: Mapped[datetime | None]
    answer: Mapped[str | None]


@pytest.fixture(scope="session")
def chore_model() -> type[Chore]:
    return Chore


@pytest.fixture
def add_chore(committed_database: Database) -> Callable[..., Awaitable[UUID]]:
    """A committed job, queued and due unless the values say otherwise."""

    async def add(**values: Any) -> UUID:
        chore = Chore(**values)
        async with committed_database.transaction() as session:
            session.add(chore)
        return chore.id

    return add


@pytest.fixture
def read_chore(committed_database: Database) -> Callable[[UUID], Awaitable[Chore]]:
    async def read(job_id: UUID) -> Chore:
        async with committed_database.sessions() as session:
            return await session.get_one(Chore, job_id)

    return read


@pytest.fixture
def end_lease(committed_database: Database) -> Callable[[UUID], Awaitable[None]]:
    """As if the time of the lease had passed."""

    async def end(job_id: UUID) -> None:
        async with committed_database.transaction() as session:
            await session.execute(
                text(
                    "update chore set lease_ends_at = now() - interval '1 s', next_at = now() - interval '1 s'"
                    " where id = :id"
                ),
                {"id": job_id},
            )

    return end
