import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import redis.asyncio
from sqlalchemy import text

from chassis.database.engine import Database
from chassis.jobs import hints
from chassis.jobs.broker import BROKER_ERRORS, Hint, HintBroker
from chassis.jobs.hints import HintSender
from chassis.jobs.models import JobState
from chassis.jobs.sources import JobSource
from chassis.testing.polling import wait_until
from embedded.ports import get_free_port
from embedded.valkey import EmbeddedValkey

AddChore = Callable[..., Awaitable[UUID]]
ReadChore = Callable[[UUID], Awaitable[Any]]


class ListBroker:
    """A broker that keeps what it is given, and refuses as often as told."""

    def __init__(self, *, refusals: int = 0, waiting: int = 0) -> None:
        self.sent: list[Hint] = []
        self.refusals = refusals
        self.waiting = waiting

    def count_waiting(self, queue: str) -> int:
        del queue
        return self.waiting

    def send_hints(self, hints: Sequence[Hint]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("refused on purpose")
        self.sent += hints

    async def have_come(self, number: int) -> bool:
        return len(self.sent) >= number


@pytest.fixture
async def run_sender(
    committed_database: Database, chore_model: type[Any]
) -> AsyncIterator[Callable[[Any], "asyncio.Task[None]"]]:
    """Start a sender for the table of chores with a broker."""
    tasks: list[asyncio.Task[None]] = []

    def run(broker: Any) -> "asyncio.Task[None]":
        sender = HintSender(committed_database, broker, [JobSource(chore_model, "chores.answer", "cpu")])
        tasks.append(asyncio.create_task(sender.run()))
        return tasks[-1]

    yield run
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


RunSender = Callable[[Any], "asyncio.Task[None]"]


class TestHintSender:
    async def test_valid(self, run_sender: RunSender, add_chore: AddChore, read_chore: ReadChore) -> None:
        job_id, broker = await add_chore(), ListBroker()
        run_sender(broker)
        await wait_until(lambda: broker.have_come(1))
        assert broker.sent == [Hint("chores.answer", "cpu", job_id)]
        assert (await read_chore(job_id)).hinted_at is not None

    async def test_new_job_is_hinted_at_at_once_and_once(self, run_sender: RunSender, add_chore: AddChore) -> None:
        broker = ListBroker()
        run_sender(broker)
        ids = [await add_chore()]
        await wait_until(lambda: broker.have_come(1))
        started_at = asyncio.get_running_loop().time()
        for _ in range(4):
            ids.append(await add_chore())
            await wait_until(lambda: broker.have_come(len(ids)), interval=0.005)
        assert asyncio.get_running_loop().time() - started_at < 1
        assert [hint.job_id for hint in broker.sent] == ids

    async def test_hints_that_could_not_be_sent_are_sent_again_soon(
        self, run_sender: RunSender, add_chore: AddChore
    ) -> None:
        job_id, broker = await add_chore(), ListBroker(refusals=1)
        run_sender(broker)
        await wait_until(lambda: broker.have_come(1), seconds=4)
        assert [hint.job_id for hint in broker.sent] == [job_id]

    async def test_hint_that_was_lost_is_sent_again(self, run_sender: RunSender, add_chore: AddChore) -> None:
        await add_chore(
            hinted_at=datetime.now(UTC) - timedelta(seconds=11), next_at=datetime.now(UTC) - timedelta(minutes=1)
        )
        fresh = await add_chore(
            hinted_at=datetime.now(UTC) - timedelta(seconds=2), next_at=datetime.now(UTC) - timedelta(minutes=1)
        )
        broker = ListBroker()
        run_sender(broker)
        await wait_until(lambda: broker.have_come(1))
        assert fresh not in [hint.job_id for hint in broker.sent]

    async def test_job_whose_turn_comes_again_is_hinted_at_again(
        self, run_sender: RunSender, add_chore: AddChore
    ) -> None:
        now = datetime.now(UTC)
        await add_chore(hinted_at=now - timedelta(seconds=3), next_at=now - timedelta(seconds=1))
        broker = ListBroker()
        run_sender(broker)
        await wait_until(lambda: broker.have_come(1))

    @pytest.mark.parametrize(
        "values", [{"state": JobState.DONE}, {"next_at": datetime.now(UTC) + timedelta(hours=1)}, {"attempts": 3}]
    )
    async def test_job_that_is_not_due(
        self, run_sender: RunSender, add_chore: AddChore, values: dict[str, Any]
    ) -> None:
        await add_chore(**values)
        due, broker = await add_chore(), ListBroker()
        run_sender(broker)
        await wait_until(lambda: broker.have_come(1))
        assert [hint.job_id for hint in broker.sent] == [due]

    async def test_full_queue_gets_no_more(
        self, run_sender: RunSender, add_chore: AddChore, read_chore: ReadChore
    ) -> None:
        job_id, broker = await add_chore(), ListBroker(waiting=hints.MAX_WAITING)
        run_sender(broker)
        await add_chore()
        assert (await read_chore(job_id)).hinted_at is None
        broker.waiting = 0
        await wait_until(lambda: broker.have_come(2))

    async def test_two_senders_send_each_once(self, run_sender: RunSender, add_chore: AddChore) -> None:
        broker = ListBroker()
        run_sender(broker)
        run_sender(broker)
        ids = {await add_chore() for _ in range(30)}
        await wait_until(lambda: broker.have_come(30))
        assert {hint.job_id for hint in broker.sent} == ids
        assert len(broker.sent) == 30

    async def test_buries_what_nobody_will_bring_back(
        self, run_sender: RunSender, add_chore: AddChore, read_chore: ReadChore
    ) -> None:
        past = datetime.now(UTC) - timedelta(minutes=1)
        job_id = await add_chore(state=JobState.RUNNING, attempts=3, lease_ends_at=past, next_at=past)
        run_sender(ListBroker())

        async def is_dead() -> bool:
            return bool((await read_chore(job_id)).state == JobState.DEAD)

        await wait_until(is_dead)

    async def test_does_not_bury_what_may_not_be_claimed(
        self, committed_database: Database, chore_model: type[Any], add_chore: AddChore, read_chore: ReadChore
    ) -> None:
        """It may have been done: its owner knows, and does not call it dead."""
        past = datetime.now(UTC) - timedelta(minutes=1)
        lost = {"state": JobState.RUNNING, "attempts": 3, "lease_ends_at": past, "next_at": past}
        in_doubt, plain = await add_chore(**lost, dot_at=past), await add_chore(**lost)
        source = JobSource(chore_model, "chores.answer", "cpu", claimable=chore_model.dot_at.is_(None))
        await HintSender(committed_database, ListBroker(), [source])._bury_lost_jobs()
        assert (await read_chore(plain)).state == JobState.DEAD
        assert (await read_chore(in_doubt)).state == JobState.RUNNING

    async def test_lost_database_is_waited_for(
        self, run_sender: RunSender, add_chore: AddChore, committed_database: Database
    ) -> None:
        broker = ListBroker()
        running = run_sender(broker)
        await add_chore()
        await wait_until(lambda: broker.have_come(1))
        async with committed_database.transaction() as session:
            await session.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )
            )
        await add_chore()
        await wait_until(lambda: broker.have_come(2))
        assert not running.done()


@pytest.fixture
def valkey() -> Iterator[EmbeddedValkey]:
    # A port that is named, so that it is the same after a restart.
    with EmbeddedValkey(port=get_free_port()) as server:
        yield server


class TestHintBroker:
    async def test_valid(self, valkey: EmbeddedValkey, run_sender: RunSender, add_chore: AddChore) -> None:
        """The message, as Celery's worker reads it from the queue."""
        broker = HintBroker(valkey.url)
        run_sender(broker)
        job_id = await add_chore(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        async with redis.asyncio.from_url(valkey.url) as client:

            async def is_there() -> bool:
                return bool(await client.llen("cpu"))

            await wait_until(is_there)
            (raw,) = await client.lrange("cpu", 0, -1)
        message = json.loads(raw)
        assert message["headers"]["task"] == "chores.answer"
        assert message["headers"]["argsrepr"] == f"['{job_id}']"
        assert message["headers"]["traceparent"].startswith("00-0af7")
        assert message["headers"]["ignore_result"] is True
        broker.close()

    def test_counts_what_waits(self, valkey: EmbeddedValkey) -> None:
        broker = HintBroker(valkey.url)
        assert broker.count_waiting("cpu") == 0
        broker.send_hints([Hint("chores.answer", "cpu", UUID(int=number)) for number in range(3)])
        assert broker.count_waiting("cpu") == 3
        broker.close()

    def test_broker_that_comes_back(self, valkey: EmbeddedValkey) -> None:
        broker, hint = HintBroker(valkey.url), Hint("chores.answer", "cpu", UUID(int=1))
        broker.send_hints([hint])
        valkey.stop()
        for call in (lambda: broker.send_hints([hint]), lambda: broker.count_waiting("cpu")):
            with pytest.raises(BROKER_ERRORS):
                call()
        valkey.start()
        broker.send_hints([hint])
        assert broker.count_waiting("cpu") == 1
        broker.close()

    def test_broker_that_hangs_is_given_up_within_a_second(self, valkey: EmbeddedValkey) -> None:
        broker, hint = HintBroker(valkey.url), Hint("chores.answer", "cpu", UUID(int=1))
        broker.send_hints([hint])
        assert valkey.pid is not None
        os.kill(valkey.pid, signal.SIGSTOP)
        try:
            started_at = time.monotonic()
            with pytest.raises(BROKER_ERRORS):
                broker.send_hints([hint])
            assert time.monotonic() - started_at < 1
        finally:
            os.kill(valkey.pid, signal.SIGCONT)
        assert broker.count_waiting("cpu") >= 1
        broker.close()
