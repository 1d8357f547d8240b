"""Tells Celery which jobs are due. Nothing here is truth: a hint that is lost, doubled or late costs only time.

A request never talks to the broker; this runs in the background process, woken by NOTIFY and each second.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, and_, func, or_, select, true, update
from sqlalchemy.exc import SQLAlchemyError

from chassis.database.engine import Database
from chassis.events.listener import Listener
from chassis.jobs.broker import BROKER_ERRORS, Hint
from chassis.jobs.ddl import JOB_CHANNEL
from chassis.jobs.metrics import JOB_HINTS, JOB_OLDEST_DUE_SECONDS, JOBS_BURIED
from chassis.jobs.models import JobMixin, is_claimable, is_due, is_exhausted
from chassis.jobs.service import bury_jobs
from chassis.jobs.sources import JobSource
from chassis.logs import get_logger

LOOK_SECONDS = 1.0
BURY_SECONDS = 5.0
LOG_SECONDS = 60.0
HINT_AGAIN_AFTER = timedelta(seconds=10)
BATCH = 500
MAX_WAITING = 1000
"""Hints in a queue. The rest stays where it is, in the table: a backlog must not be hinted at over and over."""

logger = get_logger(__name__)


class Broker(Protocol):
    """Blocking calls that raise one of BROKER_ERRORS within about half a second."""

    def count_waiting(self, queue: str) -> int: ...

    def send_hints(self, hints: Sequence[Hint]) -> None: ...


class HintSender:
    """One in each background process that owns jobs; several do no harm."""

    def __init__(self, database: Database, broker: Broker, sources: Sequence[JobSource]) -> None:
        self._database = database
        self._broker = broker
        self._sources = sources
        self._wake = asyncio.Event()
        self._listener = Listener(database, JOB_CHANNEL, self._wake.set)
        self._bury_at = 0.0
        self._log_at = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        # One thread, so that a broker that hangs holds up no other use of threads in this process.
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hints")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listener.run())
                group.create_task(self._run_rounds(executor))
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    async def _run_rounds(self, executor: ThreadPoolExecutor) -> None:
        while True:
            self._wake.clear()
            if await self._try_round(executor):
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()

    async def _try_round(self, executor: ThreadPoolExecutor) -> bool:
        """True when there may be more to send at once."""
        try:
            results = [await self._send_due_hints(source, executor) for source in self._sources]
            await self._bury_lost_jobs()
        except (*BROKER_ERRORS, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self._log_failure(error)
            await asyncio.sleep(LOOK_SECONDS)
            return False
        return any(results)

    async def _send_due_hints(self, source: JobSource, executor: ThreadPoolExecutor) -> bool:
        oldest = await self._get_oldest_due_seconds(source)
        JOB_OLDEST_DUE_SECONDS.labels(source.task_name).set(oldest or 0)
        if oldest is None:
            return False
        loop = asyncio.get_running_loop()
        try:
            waiting = await loop.run_in_executor(executor, self._broker.count_waiting, source.queue)
            limit = min(BATCH, MAX_WAITING - waiting)
            hints = await self._take_hints(source, limit) if limit > 0 else []
            await self._send_hints(source, hints, executor)
        except BROKER_ERRORS:
            JOB_HINTS.labels(source.task_name, "failed").inc()
            raise
        return len(hints) == BATCH

    async def _send_hints(self, source: JobSource, hints: Sequence[Hint], executor: ThreadPoolExecutor) -> None:
        if not hints:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(executor, self._broker.send_hints, hints)
        except BROKER_ERRORS:
            await self._return_hints(source.model, [hint.job_id for hint in hints])
            raise
        JOB_HINTS.labels(source.task_name, "sent").inc(len(hints))

    async def _get_oldest_due_seconds(self, source: JobSource) -> float | None:
        age = func.extract("epoch", func.now() - func.min(source.model.next_at))
        async with self._database.transaction() as session:
            seconds = await session.scalar(select(age).where(*self._needs_hint(source)))
            return None if seconds is None else float(seconds)

    async def _take_hints(self, source: JobSource, limit: int) -> list[Hint]:
        """Marked before they are sent: should the process end in between, they are sent again after ten seconds."""
        model = source.model
        chosen = (
            select(model.id)
            .where(*self._needs_hint(source))
            .order_by(model.next_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = update(model).where(model.id.in_(chosen)).values(hinted_at=func.now())
        async with self._database.transaction() as session:
            rows = await session.execute(
                statement.returning(model.id, model.traceparent), execution_options={"synchronize_session": False}
            )
            return [Hint(source.task_name, source.queue, job_id, trace) for job_id, trace in rows]

    async def _return_hints(self, model: type[JobMixin], job_ids: Sequence[UUID]) -> None:
        async with self._database.transaction() as session:
            await session.execute(
                update(model).where(model.id.in_(job_ids)).values(hinted_at=None),
                execution_options={"synchronize_session": False},
            )

    def _needs_hint(self, source: JobSource) -> tuple[ColumnElement[bool], ...]:
        model = source.model
        unheard = or_(
            model.hinted_at.is_(None),
            model.hinted_at < func.now() - HINT_AGAIN_AFTER,
            # Hinted at for an earlier attempt.
            model.hinted_at < model.next_at,
        )
        return is_due(model), is_claimable(model), unheard, true() if source.claimable is None else source.claimable

    async def _bury_lost_jobs(self) -> None:
        if time.monotonic() < self._bury_at:
            return
        self._bury_at = time.monotonic() + BURY_SECONDS
        for source in self._sources:
            async with self._database.transaction() as session:
                buried = await bury_jobs(session, source.model, where=_is_lost(source))
            if buried:
                JOBS_BURIED.labels(source.task_name).inc(len(buried))
                logger.error("jobs_buried", task=source.task_name, jobs=[str(job.id) for job in buried])

    def _log_failure(self, error: Exception) -> None:
        """One line a minute: a broker that is away for an hour is one piece of news."""
        if time.monotonic() >= self._log_at:
            self._log_at = time.monotonic() + LOG_SECONDS
            logger.warning("hints_put_off", reason=type(error).__name__)


def _is_lost(source: JobSource) -> ColumnElement[bool]:
    """What may not be claimed is not lost: its owner knows what became of it."""
    return and_(is_exhausted(source.model), true() if source.claimable is None else source.claimable)
