"""Creators with more followers than one transaction may tell."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, insert, literal, select

from chassis.contracts.posts import CreatorUnfollowed, PostPublished
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.polling import wait_until
from chassis.testing.statements import record_statements
from notifications.deliveries.models import DeliveryEmail
from notifications.fan_outs import service
from notifications.fan_outs.models import FanOut
from notifications.fan_outs.service import FanOutRunner, continue_fan_out
from notifications.inbox.models import Notification
from notifications.readers.models import Reader, ReaderFollow

Apply = Callable[..., Awaitable[None]]
CountRows = Callable[..., Awaitable[int]]

CHUNK = 100
FOLLOWERS = 10 * CHUNK + 1


class CrashError(Exception):
    """The process ends here."""


@pytest.fixture(autouse=True)
def chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "CHUNK", CHUNK)


def create_post(creator_id: UUID) -> PostPublished:
    return PostPublished(post_id=uuid4(), creator_id=creator_id, title="On rivers", excerpt="They run downhill.")


async def add_followers(database: Database, creator_id: UUID, count: int) -> None:
    """Confirmed readers who follow, by two statements."""
    follower = select(func.uuidv7().label("id")).select_from(func.generate_series(1, count)).cte("follower")
    email = func.concat(follower.c.id, "@reader.example")
    readers = select(follower.c.id, email, literal("Mina"), literal("Okafor"), literal(value=True))
    async with database.transaction() as session:
        await session.execute(
            insert(Reader).from_select(["user_id", "email", "first_name", "last_name", "is_confirmed"], readers)
        )
        is_new = Reader.user_id.not_in(select(ReaderFollow.follower_id))
        follows = select(literal(creator_id), Reader.user_id, literal(value=True), literal(1)).where(is_new)
        await session.execute(
            insert(ReaderFollow).from_select(["creator_id", "follower_id", "is_following", "seq"], follows)
        )


async def count_told(count_rows: CountRows, database: Database) -> tuple[int, int]:
    """Notifications and mails, each counted by person: nobody is told twice."""
    told = [await count_rows(database, model) for model in (Notification, DeliveryEmail)]
    async with database.transaction() as session:
        people = await session.scalar(select(func.count(Notification.recipient_id.distinct())))
    assert people == told[0]
    return told[0], told[1]


class TestCreateFanOut:
    @pytest.mark.parametrize(("followers", "rest"), [(0, 0), (1, 0), (CHUNK - 1, 0), (CHUNK, 1), (CHUNK + 1, 1)])
    async def test_first_chunk_at_once(
        self, database: RolledBackDatabase, apply: Apply, count_rows: CountRows, followers: int, rest: int
    ) -> None:
        creator_id = uuid4()
        await add_followers(database, creator_id, followers)
        await apply(create_post(creator_id))
        assert await count_told(count_rows, database) == (min(followers, CHUNK),) * 2
        assert await count_rows(database, FanOut) == rest

    async def test_few_statements(self, database: RolledBackDatabase, apply: Apply) -> None:
        """However many followers there are."""
        creator_id = uuid4()
        await add_followers(database, creator_id, CHUNK - 1)
        with record_statements(database) as statements:
            await apply(create_post(creator_id))
        assert len(statements) == 5, "the name, the lock, the followers, their notifications, their mails"


class TestContinueFanOut:
    async def test_nothing_to_do(self, committed_database: Database) -> None:
        assert await continue_fan_out(committed_database) is False

    async def test_valid(self, committed_database: Database, apply: Apply, count_rows: CountRows) -> None:
        creator_id = uuid4()
        await add_followers(committed_database, creator_id, FOLLOWERS)
        await apply(create_post(creator_id), to=committed_database)
        rounds = 0
        while await continue_fan_out(committed_database):
            rounds += 1
            assert await count_told(count_rows, committed_database) == (min(FOLLOWERS, (rounds + 1) * CHUNK),) * 2
        assert rounds == 10
        assert await count_rows(committed_database, FanOut) == 0
        async with committed_database.transaction() as session:
            texts = await session.execute(select(Notification.title, Notification.text, Notification.data).distinct())
            traces = (await session.scalars(select(DeliveryEmail.traceparent))).all()
        assert len(texts.all()) == 1
        assert {(trace or "").split("-")[1] for trace in traces} == {(traces[0] or "").split("-")[1]}

    async def test_crash_before_the_commit(
        self, committed_database: Database, apply: Apply, count_rows: CountRows
    ) -> None:
        creator_id = uuid4()
        await add_followers(committed_database, creator_id, FOLLOWERS)
        await apply(create_post(creator_id), to=committed_database)

        def crash(_: Any) -> None:
            raise CrashError

        for _ in range(3):
            event.listen(committed_database.engine.sync_engine, "commit", crash)
            with pytest.raises(CrashError):
                await continue_fan_out(committed_database)
            event.remove(committed_database.engine.sync_engine, "commit", crash)
            await continue_fan_out(committed_database)
        assert await count_told(count_rows, committed_database) == (4 * CHUNK, 4 * CHUNK)

    async def test_two_processes(self, committed_database: Database, apply: Apply, count_rows: CountRows) -> None:
        creators = [uuid4() for _ in range(3)]
        for creator_id in creators:
            await add_followers(committed_database, creator_id, 3 * CHUNK)
            await apply(create_post(creator_id), to=committed_database)

        async def run_process() -> None:
            while await count_rows(committed_database, FanOut):
                await continue_fan_out(committed_database)

        await asyncio.gather(*(run_process() for _ in range(4)))
        assert await count_told(count_rows, committed_database) == (9 * CHUNK, 9 * CHUNK)

    async def test_one_that_is_taken_is_passed_over(
        self, committed_database: Database, apply: Apply, count_rows: CountRows
    ) -> None:
        creator_id = uuid4()
        await add_followers(committed_database, creator_id, 2 * CHUNK)
        await apply(create_post(creator_id), to=committed_database)
        async with committed_database.transaction() as session:
            await session.execute(select(FanOut).with_for_update())
            assert await continue_fan_out(committed_database) is False
        assert await count_told(count_rows, committed_database) == (CHUNK, CHUNK)

    async def test_unfollowed_meanwhile(
        self, committed_database: Database, apply: Apply, count_rows: CountRows
    ) -> None:
        creator_id = uuid4()
        await add_followers(committed_database, creator_id, CHUNK + 1)
        await apply(create_post(creator_id), to=committed_database)
        async with committed_database.transaction() as session:
            in_order = select(ReaderFollow.follower_id).order_by(ReaderFollow.follower_id.desc())
            last = (await session.scalars(in_order.limit(1))).one()
        await apply(CreatorUnfollowed(creator_id=creator_id, follower_id=last), seq=2, to=committed_database)
        await continue_fan_out(committed_database)
        assert await count_told(count_rows, committed_database) == (CHUNK, CHUNK)


class TestFanOutRunner:
    async def test_woken(self, committed_database: Database, apply: Apply, count_rows: CountRows) -> None:
        """Two of them, as two background processes would run; without a wake both would sleep for five seconds."""
        runners = [FanOutRunner(committed_database) for _ in range(2)]
        running = [asyncio.create_task(runner.run()) for runner in runners]
        creator_id = uuid4()
        await add_followers(committed_database, creator_id, FOLLOWERS)

        async def is_done() -> bool:
            return await count_rows(committed_database, Notification) == FOLLOWERS

        try:
            for runner in runners:
                await runner._listener.connected.wait()
            await apply(create_post(creator_id), to=committed_database)
            await wait_until(is_done, seconds=4)
        finally:
            for task in running:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*running)
        assert await count_told(count_rows, committed_database) == (FOLLOWERS, FOLLOWERS)
