import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.context import get_request_id, get_traceparent
from chassis.contracts.base import EventEnvelope
from chassis.contracts.posts import CreatorFollowed, PostPublished
from chassis.database.engine import Database
from chassis.events import applier
from chassis.events.client import FeedClient
from chassis.events.consumer import MAX_ATTEMPTS, Consumer
from chassis.events.dead import list_dead_events
from chassis.events.exceptions import HandlerFailedError
from chassis.events.handlers import Handlers
from chassis.events.inbox import DeadEvent, FeedCursor, InboxEvent
from chassis.events.outbox import emit_event
from chassis.events.position import Position
from chassis.events.schemas import FeedPage
from chassis.http.client import ServiceClient
from chassis.http.exceptions import FailureReason, UpstreamUnavailableError
from chassis.problems import ServiceUnavailableError
from chassis.testing.feeds import LocalFeed
from chassis.testing.polling import wait_until
from chassis.testing.tokens import TokenSigner

Emit = Callable[..., Awaitable[None]]


async def apply_post(session: AsyncSession, event: PostPublished, envelope: EventEnvelope) -> None:
    """The handler of these tests: one row of effect an event, which nothing but the consumer keeps from doubling."""
    await session.execute(
        text("insert into effect (event_id, text) values (:event_id, :text)"),
        {"event_id": envelope.event_id, "text": event.title},
    )


HANDLERS: Handlers = {PostPublished: apply_post}


def fail_on(title: str, error: Exception) -> Handlers:
    """Apply, then raise at the one with this title: what was applied of it must be taken back."""

    async def apply_or_fail(session: AsyncSession, event: PostPublished, envelope: EventEnvelope) -> None:
        await apply_post(session, event, envelope)
        if event.title == title:
            raise error

    return {PostPublished: apply_or_fail}


def create_consumer(database: Database, handlers: Handlers = HANDLERS, feed: Any = None) -> Consumer:
    return Consumer(database, feed or LocalFeed(database), handlers, name="tests", feed_name="posts")


@asynccontextmanager
async def run_consumers(*consumers: Consumer) -> AsyncIterator[list["asyncio.Task[None]"]]:
    tasks = [asyncio.create_task(consumer.run()) for consumer in consumers]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read_effects(database: Database) -> list[str]:
    async with database.sessions() as session:
        return list(await session.scalars(text("select text from effect order by ctid")))


async def wait_for_effects(database: Database, *titles: str) -> None:
    async def have_come() -> bool:
        return len(await read_effects(database)) >= len(titles)

    await wait_until(have_come)
    assert await read_effects(database) == list(titles)


async def read_dead(database: Database) -> list[DeadEvent]:
    async with database.sessions() as session:
        return list(await list_dead_events(session))


async def read_cursor(database: Database) -> FeedCursor:
    async with database.sessions() as session:
        return await session.get_one(FeedCursor, "posts")


async def emit_raw(database: Database, event_type: str, payload: str = "{}") -> None:
    async with database.transaction() as session:
        await session.execute(
            text(
                "insert into outbox_event (aggregate_id, aggregate_seq, type, version, payload)"
                " values (uuidv7(), 1, :type, 1, cast(:payload as jsonb))"
            ),
            {"type": event_type, "payload": payload},
        )


class TestConsumePage:
    async def test_valid(self, committed_database: Database, emit: Emit) -> None:
        await emit("a", "b")
        await emit("c")
        consumer = create_consumer(committed_database)
        await consumer.consume_page()
        assert await read_effects(committed_database) == ["a", "b", "c"]
        assert (await read_cursor(committed_database)).attempts == 0
        await consumer.consume_page()
        assert await read_effects(committed_database) == ["a", "b", "c"]

    async def test_second_delivery_does_nothing(self, committed_database: Database, emit: Emit) -> None:
        """Also a cursor that an operator sets back to the beginning."""
        await emit("a", "b")
        consumer = create_consumer(committed_database)
        await consumer.consume_page()
        async with committed_database.transaction() as session:
            await session.execute(text("update feed_cursor set xid = 0, id = 0"))
        await consumer.consume_page()
        assert await read_effects(committed_database) == ["a", "b"]
        assert (await read_cursor(committed_database)).xid > 0

    async def test_same_event_twice_in_one_page(self, committed_database: Database, emit: Emit) -> None:
        class DoublingFeed(LocalFeed):
            async def get_events(self, after: Position) -> FeedPage:
                page = await super().get_events(after)
                return FeedPage(items=[*page.items, *page.items], next_cursor=page.next_cursor)

        await emit("a", "b")
        await create_consumer(committed_database, feed=DoublingFeed(committed_database)).consume_page()
        assert await read_effects(committed_database) == ["a", "b"]

    async def test_page_is_discarded_when_the_cursor_was_moved_meanwhile(
        self, committed_database: Database, emit: Emit
    ) -> None:
        class OvertakenFeed(LocalFeed):
            async def get_events(self, after: Position) -> FeedPage:
                page = await super().get_events(after)
                await create_consumer(committed_database).consume_page()
                return page

        await emit("a")
        await create_consumer(committed_database, feed=OvertakenFeed(committed_database)).consume_page()
        assert await read_effects(committed_database) == ["a"]

    async def test_transaction_is_short_also_when_the_handler_is_slow(
        self, committed_database: Database, emit: Emit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An open transaction holds back every feed of the server."""
        monkeypatch.setattr(applier, "APPLY_SECONDS", 0.0)
        committed: list[tuple[int, int]] = []

        async def look(session: AsyncSession, event: PostPublished, envelope: EventEnvelope) -> None:
            async with committed_database.sessions() as other:
                rows = await other.scalar(text("select count(*) from inbox_event"))
            committed.append((len(await read_effects(committed_database)), rows))
            await apply_post(session, event, envelope)

        await emit("a", "b", "c")
        await create_consumer(committed_database, {PostPublished: look}).consume_page()
        assert committed == [(0, 0), (1, 1), (2, 2)]
        assert await read_effects(committed_database) == ["a", "b", "c"]
        assert (await read_cursor(committed_database)).attempts == 0

    async def test_failure_after_a_stop_takes_back_only_what_came_after_it(
        self, committed_database: Database, emit: Emit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(applier, "APPLY_SECONDS", 0.0)
        await emit("a", "b", "c")
        consumer = create_consumer(committed_database, fail_on("b", ValueError("no good")))
        with pytest.raises(HandlerFailedError):
            await consumer.consume_page()
        assert await read_effects(committed_database) == ["a"]
        assert (await read_cursor(committed_database)).attempts == 1

    async def test_event_that_was_brought_here_meanwhile_is_not_applied_twice(
        self, committed_database: Database, emit: Emit
    ) -> None:
        async def be_overtaken(session: AsyncSession, event: PostPublished, envelope: EventEnvelope) -> None:
            await apply_post(session, event, envelope)
            async with committed_database.transaction() as other:
                other.add(InboxEvent(consumer="tests", event_id=envelope.event_id))

        await emit("a")
        consumer = create_consumer(committed_database, {PostPublished: be_overtaken})
        with pytest.raises(DBAPIError):
            await consumer.consume_page()
        await consumer.consume_page()
        assert await read_effects(committed_database) == []
        assert await read_dead(committed_database) == []

    async def test_unknown_type_is_parked_at_once(self, committed_database: Database, emit: Emit) -> None:
        await emit("before")
        await emit_raw(committed_database, "post.exploded")
        await emit("after")
        await create_consumer(committed_database).consume_page()
        assert await read_effects(committed_database) == ["before", "after"]
        dead = await read_dead(committed_database)
        assert [item.envelope["type"] for item in dead] == ["post.exploded"]
        assert "not known" in dead[0].error

    async def test_payload_that_does_not_fit_is_parked_at_once(self, committed_database: Database, emit: Emit) -> None:
        await emit_raw(committed_database, "post.published", '{"title": 5}')
        await emit("after")
        await create_consumer(committed_database).consume_page()
        assert await read_effects(committed_database) == ["after"]
        assert "post_id" in (await read_dead(committed_database))[0].error

    async def test_known_type_without_a_handler_is_passed_over(self, committed_database: Database) -> None:
        event = CreatorFollowed(creator_id=uuid.uuid4(), follower_id=uuid.uuid4())
        async with committed_database.transaction() as session:
            await emit_event(session, event, aggregate_id=event.creator_id, aggregate_seq=1)
        await create_consumer(committed_database).consume_page()
        assert (await read_cursor(committed_database)).xid > 0
        assert await read_dead(committed_database) == []

    async def test_handler_runs_in_the_trace_of_the_event(self, committed_database: Database, emit: Emit) -> None:
        seen: list[tuple[str | None, str | None, str]] = []

        async def look(_: AsyncSession, __: PostPublished, envelope: EventEnvelope) -> None:
            seen.append((get_traceparent(), get_request_id(), str(envelope.event_id)))

        traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        await emit("a")
        async with committed_database.transaction() as session:
            await session.execute(text("update outbox_event set traceparent = :value"), {"value": traceparent})
        await create_consumer(committed_database, {PostPublished: look}).consume_page()
        assert seen == [(traceparent, seen[0][2], seen[0][2])]


class TestFailures:
    async def test_poison_event_is_parked_after_five_attempts_and_others_go_on(
        self, committed_database: Database, emit: Emit
    ) -> None:
        await emit("a", "poison", "b")
        await emit("c")
        async with run_consumers(create_consumer(committed_database, fail_on("poison", ValueError("no good")))):
            await wait_for_effects(committed_database, "a", "b", "c")
        (dead,) = await read_dead(committed_database)
        assert (dead.envelope["payload"]["title"], dead.attempts, dead.error) == (
            "poison",
            MAX_ATTEMPTS,
            "ValueError('no good')",
        )
        assert (await read_cursor(committed_database)).attempts == 0

    async def test_attempt_is_counted_before_the_handler_runs(self, committed_database: Database, emit: Emit) -> None:
        """So that one that takes the process down is counted by those who did not live to tell."""
        seen: list[int] = []

        async def look(*_: object) -> None:
            seen.append((await read_cursor(committed_database)).attempts)

        await emit("a")
        await create_consumer(committed_database, {PostPublished: look}).consume_page()
        assert seen == [1]

    async def test_event_that_killed_five_processes_is_not_tried_again(
        self, committed_database: Database, emit: Emit
    ) -> None:
        await emit("killer", "b")
        async with committed_database.transaction() as session:
            await session.execute(text("insert into feed_cursor (feed, attempts) values ('posts', 5)"))
        await create_consumer(committed_database).consume_page()
        assert await read_effects(committed_database) == ["b"]
        assert [item.envelope["payload"]["title"] for item in await read_dead(committed_database)] == ["killer"]

    async def test_after_a_crash_events_are_applied_one_by_one(self, committed_database: Database, emit: Emit) -> None:
        await emit("a", "b", "poison")
        async with committed_database.transaction() as session:
            await session.execute(text("insert into feed_cursor (feed, attempts) values ('posts', 1)"))
        with pytest.raises(Exception, match=r"post\.published"):
            await create_consumer(committed_database, fail_on("poison", KeyError())).consume_page()
        assert await read_effects(committed_database) == ["a", "b"]

    @pytest.mark.parametrize(
        "error",
        [
            ServiceUnavailableError(),
            UpstreamUnavailableError("auth", FailureReason.CONNECT),
        ],
    )
    async def test_attempt_does_not_count_when_a_service_is_away(
        self, committed_database: Database, emit: Emit, error: Exception
    ) -> None:
        await emit("a")
        consumer = create_consumer(committed_database, fail_on("a", error))
        for _ in range(MAX_ATTEMPTS * 2):
            with pytest.raises(type(error)):
                await consumer.consume_page()
        assert (await read_cursor(committed_database)).attempts == 1
        assert await read_dead(committed_database) == []

    async def test_attempt_does_not_count_when_the_database_goes_away(
        self, committed_database: Database, emit: Emit
    ) -> None:
        async def lose_connection(session: AsyncSession, *_: object) -> None:
            await session.execute(text("select pg_terminate_backend(pg_backend_pid())"))

        await emit("a")
        consumer = create_consumer(committed_database, {PostPublished: lose_connection})
        for _ in range(MAX_ATTEMPTS + 1):
            with pytest.raises(DBAPIError):
                await consumer.consume_page()
        assert (await read_cursor(committed_database)).attempts == 1

    async def test_handler_that_always_breaks_the_connection_is_found_out(
        self, committed_database: Database, emit: Emit
    ) -> None:
        async def lose_connection(session: AsyncSession, *_: object) -> None:
            await session.execute(text("select pg_terminate_backend(pg_backend_pid())"))

        await emit("a")
        consumer = create_consumer(committed_database, {PostPublished: lose_connection})
        for _ in range(60):
            try:
                await consumer.consume_page()
            except DBAPIError:
                continue
            break
        assert len(await read_dead(committed_database)) == 1

    async def test_statement_that_fails_counts(self, committed_database: Database, emit: Emit) -> None:
        async def divide(session: AsyncSession, *_: object) -> None:
            await session.execute(text("select 1 / 0"))

        await emit("a")
        consumer = create_consumer(committed_database, {PostPublished: divide})
        for attempt in range(1, MAX_ATTEMPTS + 1):
            with pytest.raises(DBAPIError):
                await consumer.consume_page()
            assert (await read_cursor(committed_database)).attempts == attempt
        await consumer.consume_page()
        assert "division by zero" in (await read_dead(committed_database))[0].error

    async def test_stop_in_the_middle_is_no_attempt(self, committed_database: Database, emit: Emit) -> None:
        entered = asyncio.Event()

        async def hang(*_: object) -> None:
            entered.set()
            await asyncio.Event().wait()

        await emit("a")
        async with run_consumers(create_consumer(committed_database, {PostPublished: hang})):
            await entered.wait()
        assert (await read_cursor(committed_database)).attempts == 0

    async def test_feed_that_is_away_is_asked_again(self, committed_database: Database, emit: Emit) -> None:
        class FlakyFeed(LocalFeed):
            failures = 3

            async def get_events(self, after: Position) -> FeedPage:
                if self.failures:
                    self.failures -= 1
                    raise UpstreamUnavailableError("posts", FailureReason.TIMEOUT)
                return await super().get_events(after)

        await emit("a")
        async with run_consumers(create_consumer(committed_database, feed=FlakyFeed(committed_database))):
            await wait_for_effects(committed_database, "a")


class TestSeveralConsumers:
    async def test_each_event_is_applied_once(self, committed_database: Database, emit: Emit) -> None:
        """Without the leader's lock, so that only the cursor decides."""

        async def consume_all(consumer: Consumer) -> None:
            for _ in range(60):
                await consumer.consume_page()

        titles = [str(number) for number in range(60)]

        async def emit_all() -> None:
            for title in titles:
                await emit(title)

        consumers = [create_consumer(committed_database, feed=LocalFeed(committed_database, limit=3)) for _ in "ab"]
        await asyncio.gather(emit_all(), *(consume_all(consumer) for consumer in consumers))
        await consume_all(consumers[0])
        assert await read_effects(committed_database) == titles

    async def test_standby_takes_over(self, committed_database: Database, emit: Emit) -> None:
        first, second = create_consumer(committed_database), create_consumer(committed_database)
        async with run_consumers(first, second) as tasks:
            await emit("a")
            await wait_for_effects(committed_database, "a")
            async with committed_database.transaction() as session:
                leaders = await session.scalars(
                    text(
                        "select pid from pg_locks where locktype = 'advisory' and granted and database ="
                        " (select oid from pg_database where datname = current_database())"
                    )
                )
                assert len(leaders.all()) == 1
            tasks[0].cancel()
            await emit("b")
            await wait_for_effects(committed_database, "a", "b")

    async def test_leader_that_lost_its_lock_stands_by(self, committed_database: Database, emit: Emit) -> None:
        async with run_consumers(create_consumer(committed_database)):
            await emit("a")
            await wait_for_effects(committed_database, "a")
            async with committed_database.transaction() as session:
                await session.execute(
                    text(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where datname = current_database() and pid <> pg_backend_pid()"
                    )
                )
            await emit("b")
            await wait_for_effects(committed_database, "a", "b")


class TestFeedClient:
    async def test_valid(self, app: FastAPI, committed_database: Database, signer: TokenSigner, emit: Emit) -> None:
        """From one service to another over its API, in order and once."""

        class Tokens:
            async def get_token(self, *, stale: str | None = None) -> str:
                del stale
                return signer.issue_service_token("notifications", ["events:read"])

        client = ServiceClient("posts", "http://posts", token_source=Tokens(), backend=httpx.ASGITransport(app=app))
        async with client, run_consumers(create_consumer(committed_database, feed=FeedClient(client, limit=4))):
            titles = [str(number) for number in range(20)]
            for title in titles:
                await emit(title)
            await wait_for_effects(committed_database, *titles)

    async def test_answer_that_is_no_page(self) -> None:
        backend = httpx.MockTransport(lambda _: httpx.Response(200, json={"items": 5}))
        async with ServiceClient("posts", "http://posts", backend=backend) as client:
            with pytest.raises(UpstreamUnavailableError, match="malformed"):
                await FeedClient(client, wait_seconds=0).get_events(Position(0, 0))
