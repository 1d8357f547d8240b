import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from chassis.database.engine import Database
from chassis.events.housekeeping import DAYS_AHEAD, get_partition_name, keep_partitions, run_housekeeping
from chassis.events.position import START
from chassis.testing.feeds import LocalFeed

if TYPE_CHECKING:
    import asyncpg

LIST_PARTITIONS = (
    "select inhrelid::regclass::text from pg_inherits where inhparent = 'outbox_event'::regclass order by 1"
)
INSERT_EVENT = (
    "insert into outbox_event (aggregate_id, aggregate_seq, type, version, payload, created_at)"
    " values (uuidv7(), 1, 'post.published', 1, jsonb_build_object('at', $1::timestamptz), $1)"
)
TODAY = datetime.now(UTC).replace(hour=12)


def name_day(offset: int) -> str:
    return get_partition_name((datetime.now(UTC) + timedelta(days=offset)).date())


@pytest.fixture
async def connection(committed_database: Database) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await committed_database.connect()
    yield connection
    await connection.close()


async def list_partitions(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    return [row[0] for row in await connection.fetch(LIST_PARTITIONS)]


class TestRunHousekeeping:
    async def test_makes_partitions_ahead(
        self, committed_database: Database, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        expected = sorted(["outbox_event_default", *(name_day(offset) for offset in range(DAYS_AHEAD + 1))])
        for _ in range(2):
            assert await run_housekeeping(committed_database)
            assert await list_partitions(connection) == expected
        for offset in range(DAYS_AHEAD + 1):
            await connection.execute(INSERT_EVENT, TODAY + timedelta(days=offset))
        assert await connection.fetchval("select count(*) from only outbox_event_default") == 0
        assert await connection.fetchval("select count(*) from outbox_event") == DAYS_AHEAD + 1

    async def test_events_that_the_default_caught_keep_their_place(
        self, committed_database: Database, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        for _ in range(3):
            await connection.execute(INSERT_EVENT, TODAY)
        before = await LocalFeed(committed_database).get_events(START)
        await run_housekeeping(committed_database)
        assert await LocalFeed(committed_database).get_events(START) == before
        assert len(before.items) == 3
        assert await connection.fetchval("select count(*) from outbox_event_default") == 0

    async def test_drops_what_is_past_its_time(
        self, committed_database: Database, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        for offset in (-9, -8, -7):
            day = (datetime.now(UTC) + timedelta(days=offset)).date()
            await connection.execute(
                f"create table {name_day(offset)} partition of outbox_event"
                f" for values from ('{day} 00:00+00') to ('{day + timedelta(days=1)} 00:00+00')"
            )
        await connection.execute(INSERT_EVENT, TODAY - timedelta(days=30))
        await run_housekeeping(committed_database)
        partitions = await list_partitions(connection)
        assert name_day(-7) in partitions
        assert name_day(-8) not in partitions
        assert name_day(-9) not in partitions
        assert await connection.fetchval("select count(*) from outbox_event") == 0

    async def test_prunes_inbox_and_idempotency_keys(
        self, committed_database: Database, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        await connection.execute(
            "insert into inbox_event (consumer, event_id, received_at)"
            " select 'tests', uuidv7(), now() - (n || ' days')::interval from generate_series(25, 36) n"
        )
        await connection.execute(
            "insert into idempotency_key (user_id, route, key, body_digest, created_at)"
            " select uuidv7(), 'POST /posts', n::text, '', now() - (n || ' hours')::interval"
            " from generate_series(20, 29) n"
        )
        await run_housekeeping(committed_database)
        assert await connection.fetchval("select count(*) from inbox_event") == 5
        assert await connection.fetchval("select count(*) from idempotency_key") == 4

    async def test_several_at_once(
        self, committed_database: Database, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        results = await asyncio.gather(*(run_housekeeping(committed_database) for _ in range(5)))
        assert any(results)
        assert len(await list_partitions(connection)) == DAYS_AHEAD + 2

    async def test_database_without_the_tables(self, committed_database: Database) -> None:
        connection = await committed_database.connect()
        await connection.execute("drop table outbox_event, inbox_event, idempotency_key")
        await connection.close()
        assert await run_housekeeping(committed_database)


class TestKeepPartitions:
    async def test_open_writers_hold_up_nothing(
        self, committed_database: Database, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        await keep_partitions(connection)
        await connection.execute(f"drop table {name_day(DAYS_AHEAD)}")
        writer = await committed_database.connect()
        try:
            async with writer.transaction():
                await writer.execute(INSERT_EVENT, TODAY)
                await connection.execute("set lock_timeout = '200ms'")
                await keep_partitions(connection)
                await writer.execute(INSERT_EVENT, TODAY)
        finally:
            await writer.close()
        assert name_day(DAYS_AHEAD) in await list_partitions(connection)
