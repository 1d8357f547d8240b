import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis.context import bind_context
from chassis.database.engine import Database
from chassis.jobs.exceptions import JobNotClaimableError, JobNotFoundError, StaleFenceError
from chassis.jobs.models import JobState
from chassis.jobs.service import bury_jobs, claim_job, complete_job, fail_job, list_due_jobs

AddChore = Callable[..., Awaitable[UUID]]
ReadChore = Callable[[UUID], Awaitable[Any]]
EndLease = Callable[[UUID], Awaitable[None]]
ABSENT = uuid.UUID(int=0)


class Worker:
    """What a worker does, each step a transaction."""

    def __init__(self, database: Database, model: type[Any]) -> None:
        self._database = database
        self._model = model

    async def claim(self, job_id: UUID, **options: Any) -> Any:
        async with self._database.transaction() as session:
            return await claim_job(session, self._model, job_id, **options)

    async def complete(self, job_id: UUID, fence: int, **options: Any) -> Any:
        async with self._database.transaction() as session:
            return await complete_job(session, self._model, job_id, fence=fence, **options)

    async def fail(self, job_id: UUID, fence: int, **options: Any) -> Any:
        async with self._database.transaction() as session:
            return await fail_job(session, self._model, job_id, fence=fence, **{"error": "no luck", **options})

    async def list_due(self, **options: Any) -> list[UUID]:
        async with self._database.transaction() as session:
            return list(await list_due_jobs(session, self._model, **options))

    async def bury(self, **options: Any) -> list[UUID]:
        async with self._database.transaction() as session:
            return [job.id for job in await bury_jobs(session, self._model, **options)]


@pytest.fixture
def worker(committed_database: Database, chore_model: type[Any]) -> Worker:
    return Worker(committed_database, chore_model)


class TestClaimJob:
    async def test_valid(self, worker: Worker, add_chore: AddChore) -> None:
        job = await worker.claim(await add_chore())
        assert (job.state, job.attempts, job.fence) == (JobState.RUNNING, 1, 1)
        assert timedelta(seconds=50) < job.lease_ends_at - datetime.now(UTC) < timedelta(seconds=70)
        assert job.next_at == job.lease_ends_at

    async def test_of_many_one_gets_it(self, worker: Worker, add_chore: AddChore) -> None:
        job_id = await add_chore()
        results = await asyncio.gather(*(worker.claim(job_id) for _ in range(20)), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["Chore"] + ["JobNotClaimableError"] * 19

    async def test_not_found(self, worker: Worker) -> None:
        with pytest.raises(JobNotFoundError):
            await worker.claim(ABSENT)

    @pytest.mark.parametrize(
        "values",
        [
            {"state": JobState.DONE},
            {"state": JobState.DEAD},
            {"next_at": datetime.now(UTC) + timedelta(hours=1)},
            {"state": JobState.RUNNING, "lease_ends_at": datetime.now(UTC) + timedelta(hours=1)},
            {"attempts": 3},
        ],
    )
    async def test_conflict(self, worker: Worker, add_chore: AddChore, values: dict[str, Any]) -> None:
        job_id = await add_chore(**values)
        with pytest.raises(JobNotClaimableError):
            await worker.claim(job_id)

    async def test_abandoned_job_goes_to_the_next_under_a_new_fence(
        self, worker: Worker, add_chore: AddChore, end_lease: EndLease
    ) -> None:
        job_id = await add_chore()
        first = await worker.claim(job_id)
        await end_lease(job_id)
        second = await worker.claim(job_id)
        assert (second.fence, second.attempts) == (first.fence + 1, 2)

    async def test_more_conditions_and_values(
        self, worker: Worker, add_chore: AddChore, chore_model: type[Any]
    ) -> None:
        sent, fresh = await add_chore(dot_at=datetime.now(UTC)), await add_chore()
        options = {"where": chore_model.dot_at.is_(None), "values": {"answer": "claimed"}, "lease": timedelta(hours=1)}
        with pytest.raises(JobNotClaimableError):
            await worker.claim(sent, **options)
        job = await worker.claim(fresh, **options)
        assert job.answer == "claimed"
        assert job.lease_ends_at - datetime.now(UTC) > timedelta(minutes=50)


class TestCompleteJob:
    async def test_valid(self, worker: Worker, add_chore: AddChore, read_chore: ReadChore) -> None:
        job = await worker.claim(await add_chore())
        done = await worker.complete(job.id, job.fence, values={"answer": "42"})
        assert (done.state, done.answer, done.lease_ends_at) == (JobState.DONE, "42", None)
        assert (await read_chore(job.id)).finished_at is not None

    async def test_stale_fence(self, worker: Worker, add_chore: AddChore, end_lease: EndLease) -> None:
        """A worker that was paused longer than its lease changes nothing any more."""
        paused = await worker.claim(await add_chore())
        await end_lease(paused.id)
        active = await worker.claim(paused.id)
        with pytest.raises(StaleFenceError):
            await worker.complete(paused.id, paused.fence, values={"answer": "old"})
        await worker.complete(active.id, active.fence, values={"answer": "new"})
        with pytest.raises(StaleFenceError):
            await worker.complete(paused.id, paused.fence)

    async def test_lease_that_is_over_does_no_harm_while_nobody_else_came(
        self, worker: Worker, add_chore: AddChore, end_lease: EndLease
    ) -> None:
        job = await worker.claim(await add_chore())
        await end_lease(job.id)
        assert (await worker.complete(job.id, job.fence)).state == JobState.DONE

    async def test_same_report_again_does_nothing(
        self, worker: Worker, add_chore: AddChore, read_chore: ReadChore
    ) -> None:
        job = await worker.claim(await add_chore())
        await worker.complete(job.id, job.fence, values={"answer": "first"})
        assert await worker.complete(job.id, job.fence, values={"answer": "second"}) is None
        assert (await read_chore(job.id)).answer == "first"

    async def test_job_that_was_never_claimed(self, worker: Worker, add_chore: AddChore) -> None:
        job_id = await add_chore()
        with pytest.raises(StaleFenceError):
            await worker.complete(job_id, 0)

    async def test_not_found(self, worker: Worker) -> None:
        with pytest.raises(JobNotFoundError):
            await worker.complete(ABSENT, 1)


class TestFailJob:
    @pytest.mark.parametrize(("attempts", "longest"), [(0, 10), (1, 20)])
    async def test_valid(self, worker: Worker, add_chore: AddChore, attempts: int, longest: int) -> None:
        job = await worker.claim(await add_chore(attempts=attempts))
        failed = await worker.fail(job.id, job.fence, error="451 later\x00")
        assert (failed.state, failed.last_error, failed.lease_ends_at) == (JobState.QUEUED, "451 later", None)
        wait = (failed.next_at - datetime.now(UTC)).total_seconds()
        assert 4 < wait <= longest

    async def test_backoff_ends_at_a_quarter_of_an_hour(
        self, worker: Worker, add_chore: AddChore, chore_model: type[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chore_model, "MAX_ATTEMPTS", 100)
        job = await worker.claim(await add_chore(attempts=60))
        failed = await worker.fail(job.id, job.fence)
        assert (failed.next_at - datetime.now(UTC)) <= timedelta(minutes=15)

    @pytest.mark.parametrize(("attempts", "permanent"), [(0, True), (2, False)])
    async def test_end_of_all_attempts(
        self, worker: Worker, add_chore: AddChore, attempts: int, permanent: bool
    ) -> None:
        job = await worker.claim(await add_chore(attempts=attempts))
        dead = await worker.fail(job.id, job.fence, permanent=permanent, values={"answer": "550"})
        assert (dead.state, dead.answer) == (JobState.DEAD, "550")
        assert dead.finished_at is not None

    async def test_same_report_again_does_nothing(
        self, worker: Worker, add_chore: AddChore, read_chore: ReadChore
    ) -> None:
        job = await worker.claim(await add_chore())
        failed = await worker.fail(job.id, job.fence)
        assert await worker.fail(job.id, job.fence) is None
        assert (await read_chore(job.id)).next_at == failed.next_at

    async def test_stale_fence(self, worker: Worker, add_chore: AddChore, end_lease: EndLease) -> None:
        paused = await worker.claim(await add_chore())
        await end_lease(paused.id)
        await worker.claim(paused.id)
        with pytest.raises(StaleFenceError):
            await worker.fail(paused.id, paused.fence)

    async def test_success_that_was_recorded_stays(self, worker: Worker, add_chore: AddChore) -> None:
        job = await worker.claim(await add_chore())
        await worker.complete(job.id, job.fence)
        with pytest.raises(StaleFenceError):
            await worker.fail(job.id, job.fence)


class TestListDueJobs:
    async def test_valid(
        self, worker: Worker, add_chore: AddChore, end_lease: EndLease, chore_model: type[Any]
    ) -> None:
        now = datetime.now(UTC)
        recent = await add_chore(next_at=now - timedelta(minutes=1), dot_at=now)
        oldest = await add_chore(next_at=now - timedelta(minutes=2))
        for values in ({"next_at": now + timedelta(minutes=1)}, {"state": JobState.DONE}, {"attempts": 3}):
            await add_chore(**values)
        abandoned, running = await add_chore(), await add_chore()
        await worker.claim(abandoned)
        await end_lease(abandoned)
        await worker.claim(running)
        assert await worker.list_due() == [oldest, recent, abandoned]
        assert await worker.list_due(limit=1) == [oldest]
        assert await worker.list_due(where=chore_model.dot_at.is_not(None)) == [recent]

    async def test_reads_the_partial_index(self, add_chore: AddChore, committed_database: Database) -> None:
        await add_chore()
        async with committed_database.transaction() as session:
            await session.execute(text("set local enable_seqscan = off"))
            plan = await session.scalars(
                text("explain select id from chore where state in ('queued', 'running') and next_at <= now()")
            )
            assert "chore_next_at_idx" in "\n".join(plan)


class TestBuryJobs:
    async def test_valid(self, worker: Worker, add_chore: AddChore, end_lease: EndLease, read_chore: ReadChore) -> None:
        lost, hopeful, at_work = await add_chore(attempts=2), await add_chore(), await add_chore(attempts=2)
        for job_id in (lost, hopeful, at_work):
            await worker.claim(job_id)
        await end_lease(lost)
        await end_lease(hopeful)
        assert await worker.bury() == [lost]
        buried = await read_chore(lost)
        assert (buried.state, buried.lease_ends_at) == (JobState.DEAD, None)
        assert "lease" in buried.last_error

    async def test_choice_of_the_owner(
        self, worker: Worker, add_chore: AddChore, end_lease: EndLease, read_chore: ReadChore, chore_model: type[Any]
    ) -> None:
        """An e-mail that may have been sent, of a kind that must not be sent twice."""
        ambiguous = await worker.claim(await add_chore(), values={"dot_at": datetime.now(UTC)})
        unsent = await worker.claim(await add_chore())
        await end_lease(ambiguous.id)
        await end_lease(unsent.id)
        assert await worker.bury(where=chore_model.dot_at.is_not(None), error="unknown") == [ambiguous.id]
        assert (await read_chore(ambiguous.id)).last_error == "unknown"


class TestJobMixin:
    async def test_state_that_is_none(self, add_chore: AddChore) -> None:
        with pytest.raises(IntegrityError, match="chore_state_check"):
            await add_chore(state="sleeping")

    async def test_job_remembers_the_trace_that_made_it(self, add_chore: AddChore, read_chore: ReadChore) -> None:
        traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        with bind_context(traceparent=traceparent):
            job_id = await add_chore()
        assert (await read_chore(job_id)).traceparent == traceparent

    def test_names_follow_the_convention(self, chore_model: type[Any]) -> None:
        table = chore_model.__table__
        assert [index.name for index in table.indexes] == ["chore_next_at_idx"]
        assert "chore_state_check" in {constraint.name for constraint in table.constraints}
