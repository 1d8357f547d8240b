import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.contracts.posts import PostPublished
from chassis.database.engine import Database
from chassis.events.feed import FEED_QUERY, wait_for_events
from chassis.events.outbox import emit_event
from chassis.events.position import START, Position
from chassis.events.schemas import FeedPage
from chassis.events.waker import FeedWaker
from chassis.pagination import CursorInvalidError
from chassis.testing.polling import wait_until
from chassis.testing.tokens import TokenSigner

Emit = Callable[..., Awaitable[None]]
URL = "/internal/events"


async def emit_one(session: Any, title: str) -> None:
    event = PostPublished(post_id=uuid.uuid4(), creator_id=uuid.uuid4(), title=title, excerpt="")
    await emit_event(session, event, aggregate_id=event.post_id, aggregate_seq=1)
    await session.flush()


def read_titles(response: httpx.Response) -> list[str]:
    return [item["payload"]["title"] for item in response.json()["items"]]


async def is_never_gone() -> bool:
    return False


class TestListEvents:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.get(URL)
        assert response.status_code == 401
        assert "WWW-Authenticate" in response.headers

    async def test_forbidden(self, client: httpx.AsyncClient, signer: TokenSigner) -> None:
        token = signer.issue_service_token("worker", ["jobs:work"])
        response = await client.get(URL, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 403

    @pytest.mark.parametrize(
        "cursor", ["", "1", "1:", ":1", "a:b", "1:2:3", "-1:2", "1:99999999999999999999", "\u0661:\u0662"]
    )
    async def test_cursor_that_is_none(self, client: httpx.AsyncClient, token: dict[str, str], cursor: str) -> None:
        response = await client.get(URL, params={"after": cursor}, headers=token)
        assert (response.status_code, response.json()["code"]) == (400, "cursor_invalid")

    @pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 201}, {"wait": 26}, {"wait": "inf"}, {"wait": "nan"}])
    async def test_range(self, client: httpx.AsyncClient, token: dict[str, str], params: dict[str, Any]) -> None:
        assert (await client.get(URL, params=params, headers=token)).status_code == 422

    async def test_empty(self, client: httpx.AsyncClient, token: dict[str, str]) -> None:
        response = await client.get(URL, headers=token)
        assert response.json() == {"items": [], "next_cursor": "0:0"}

    async def test_valid(self, client: httpx.AsyncClient, token: dict[str, str], emit: Emit) -> None:
        await emit("first", "second")
        await emit("third")
        response = await client.get(URL, headers=token)
        assert response.headers["content-type"] == "application/json"
        page = FeedPage.model_validate_json(response.content)
        assert [item.payload["title"] for item in page.items] == ["first", "second", "third"]
        assert page.next_cursor == page.items[-1].cursor
        assert page.model_dump(mode="json") == response.json()

    async def test_pages_follow_one_another(self, client: httpx.AsyncClient, token: dict[str, str], emit: Emit) -> None:
        await emit(*"abc")
        await emit(*"de")
        seen, cursor = [], "0:0"
        for _ in range(4):
            response = await client.get(URL, params={"after": cursor, "limit": 2}, headers=token)
            seen += read_titles(response)
            cursor = response.json()["next_cursor"]
        assert seen == list("abcde")

    async def test_late_commit_is_not_skipped(
        self, client: httpx.AsyncClient, token: dict[str, str], committed_database: Database
    ) -> None:
        async with committed_database.sessions() as early, committed_database.sessions() as late:
            await emit_one(early, "early to write, late to commit")
            await emit_one(late, "late to write, early to commit")
            await late.commit()
            before = await client.get(URL, headers=token)
            assert before.json() == {"items": [], "next_cursor": "0:0"}
            await early.commit()
        after = await client.get(URL, headers=token)
        assert read_titles(after) == ["early to write, late to commit", "late to write, early to commit"]

    async def test_rolled_back_event_is_never_told(
        self, client: httpx.AsyncClient, token: dict[str, str], committed_database: Database
    ) -> None:
        async with committed_database.sessions() as session:
            await emit_one(session, "never")
            await session.rollback()
        assert read_titles(await client.get(URL, headers=token)) == []

    async def test_conflict(self, client: httpx.AsyncClient, token: dict[str, str]) -> None:
        """A reader ahead of all transactions has seen a database that was set back since."""
        response = await client.get(URL, params={"after": "9000000000:1", "wait": 5}, headers=token)
        assert (response.status_code, response.json()["code"]) == (409, "cursor_ahead")


class TestWaiting:
    async def test_wakes_when_an_event_comes(
        self, client: httpx.AsyncClient, token: dict[str, str], emit: Emit, app: FastAPI
    ) -> None:
        waiting = asyncio.create_task(client.get(URL, params={"wait": 8}, headers=token))
        await wait_for_waiter(app.state.feed_waker)
        started_at = asyncio.get_running_loop().time()
        await emit("news")
        assert read_titles(await waiting) == ["news"]
        assert asyncio.get_running_loop().time() - started_at < 0.5

    async def test_event_held_back_by_an_older_transaction_comes_soon_after_its_end(
        self, client: httpx.AsyncClient, token: dict[str, str], emit: Emit, committed_database: Database
    ) -> None:
        """Nothing notifies of a rollback, so the feed must look by itself."""
        async with committed_database.sessions() as older:
            await emit_one(older, "taken back")
            await emit("held back")
            waiting = asyncio.create_task(client.get(URL, params={"wait": 8}, headers=token))
            done, _ = await asyncio.wait([waiting], timeout=0.2)
            assert not done
            await older.rollback()
            started_at = asyncio.get_running_loop().time()
        assert read_titles(await waiting) == ["held back"]
        assert asyncio.get_running_loop().time() - started_at < 0.5

    async def test_is_over_after_the_time_asked_for(self, client: httpx.AsyncClient, token: dict[str, str]) -> None:
        response = await client.get(URL, params={"wait": 0.1}, headers=token)
        assert response.json()["items"] == []

    async def test_is_over_before_the_deadline(self, client: httpx.AsyncClient, token: dict[str, str]) -> None:
        async with asyncio.timeout(3):
            response = await client.get(URL, params={"wait": 20}, headers=token | {"X-Deadline-Ms": "700"})
        assert (response.status_code, response.json()["items"]) == (200, [])

    async def test_is_over_when_the_process_is_asked_to_stop(
        self, client: httpx.AsyncClient, token: dict[str, str], app: FastAPI
    ) -> None:
        waiting = asyncio.create_task(client.get(URL, params={"wait": 8}, headers=token))
        await wait_for_waiter(app.state.feed_waker)
        app.state.feed_waker.stop()
        async with asyncio.timeout(1):
            assert (await waiting).status_code == 200
            assert (await client.get(URL, params={"wait": 8}, headers=token)).status_code == 200

    async def test_is_over_when_the_reader_is_gone(self, app: FastAPI, committed_database: Database) -> None:
        async def is_gone() -> bool:
            return True

        async with asyncio.timeout(3):
            row = await wait_for_events(
                committed_database.reader, app.state.feed_waker, START, limit=1, wait=20, is_gone=is_gone
            )
        assert row["count"] == 0

    async def test_holds_no_pooled_connection(self, app: FastAPI, committed_database: Database) -> None:
        waker: FeedWaker = app.state.feed_waker
        waits = [
            asyncio.create_task(
                wait_for_events(committed_database.reader, waker, START, limit=1, wait=8, is_gone=is_never_gone)
            )
            for _ in range(committed_database.config.reader_pool_size * 3)
        ]
        await wait_for_waiter(waker)
        async with asyncio.timeout(1):
            assert await committed_database.reader.fetch_value("select 1") == 1
        waker.stop()
        await asyncio.gather(*waits)


async def wait_for_waiter(waker: FeedWaker) -> None:
    """Until somebody waits for the next wake: asyncio's Event keeps its waiters."""

    async def has_waiter() -> bool:
        return bool(waker.next_wake()._waiters)

    await wait_until(has_waiter, interval=0.005)


class TestFeedQuery:
    @pytest.mark.parametrize("cursor", [START, Position(5, 5000)])
    async def test_reads_no_more_rows_than_asked_for(self, committed_database: Database, cursor: Position) -> None:
        """However much is still to come, a page is a range of the index."""
        connection = await committed_database.connect()
        try:
            await connection.execute(
                "insert into outbox_event (aggregate_id, aggregate_seq, type, version, payload, xid)"
                " select uuidv7(), n, 'post.published', 1, '{}', '5' from generate_series(1, 10000) n"
            )
            await connection.execute("analyze outbox_event")
            values = FEED_QUERY.bind({"after_xid": str(cursor.xid), "after_id": cursor.id, "page_limit": 10})
            plan = await connection.fetch(f"explain (analyze, costs off, timing off) {FEED_QUERY.sql}", *values)
        finally:
            await connection.close()
        text = "\n".join(row[0] for row in plan)
        rows = [float(number) for number in re.findall(r"actual rows=([\d.]+)", text)]
        assert max(rows) == 10, text


class TestPosition:
    def test_valid(self) -> None:
        assert str(Position.parse("12:34")) == "12:34"
        assert Position.parse("9:99") < Position.parse("10:1")

    def test_malformed(self) -> None:
        with pytest.raises(CursorInvalidError):
            Position.parse("12:34\n")
