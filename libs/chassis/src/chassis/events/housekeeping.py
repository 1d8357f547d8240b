"""What must happen every day without anybody: new partitions, old rows away. Safe from several processes at once."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeAlias

import asyncpg

from chassis.database.engine import Database
from chassis.events.ddl import is_partition
from chassis.logs import get_logger
from chassis.periodic import run_every

DAYS_AHEAD = 3
OUTBOX_DAYS = 7
INBOX_DAYS = 30
IDEMPOTENCY_HOURS = 24
PERIOD_SECONDS = 3600.0
PRUNE_ROWS = 5000
HOUSEKEEPING_LOCK = 4_826_002
# New writers queue behind a waiting lock: better to give up soon and come back later.
LOCK_TIMEOUT = "500ms"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# Table, its moment, and how long rows are kept. Each table exists only in services that need it.
PRUNED = (
    ("inbox_event", "received_at", timedelta(days=INBOX_DAYS)),
    ("idempotency_key", "created_at", timedelta(hours=IDEMPOTENCY_HOURS)),
)

logger = get_logger(__name__)


async def run_hourly(database: Database) -> None:
    """Until cancelled."""
    await run_every(PERIOD_SECONDS, "housekeeping", partial(run_housekeeping, database))


async def run_housekeeping(database: Database) -> bool:
    """One round over whatever tables there are. False when another process is at it already."""
    connection = await database.connect()
    try:
        if not await connection.fetchval("select pg_try_advisory_lock($1)", HOUSEKEEPING_LOCK):
            return False
        await connection.execute(f"set lock_timeout = '{LOCK_TIMEOUT}'")
        if await _table_exists(connection, "outbox_event"):
            await keep_partitions(connection)
        for table, moment, age in PRUNED:
            if await _table_exists(connection, table):
                await _prune(connection, table, moment, age)
        return True
    finally:
        await connection.close()


async def keep_partitions(connection: Connection) -> None:
    """Have today's partition and the next ones; drop those past their time, and what the default caught of then."""
    today: date = await connection.fetchval("select (now() at time zone 'UTC')::date")
    existing = await _list_partitions(connection)
    for day in (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)):
        if get_partition_name(day) not in existing:
            await _create_partition(connection, day)
    oldest = today - timedelta(days=OUTBOX_DAYS)
    for name in sorted(existing):
        if name != "outbox_event_default" and name < get_partition_name(oldest):
            await connection.execute(f'drop table "{name}"')
            logger.info("outbox_partition_dropped", partition=name)
    await _prune(connection, "outbox_event_default", "created_at", timedelta(days=OUTBOX_DAYS))


def get_partition_name(day: date) -> str:
    return f"outbox_event_p{day:%Y%m%d}"


async def _create_partition(connection: Connection, day: date) -> None:
    """Made aside and attached: `PARTITION OF` would lock out every writer, ATTACH locks only the default partition."""
    name = get_partition_name(day)
    start, end = (_midnight(moment) for moment in (day, day + timedelta(days=1)))
    columns = "id, event_id, aggregate_id, aggregate_seq, type, version, payload, traceparent, xid, created_at"
    async with connection.transaction():
        await connection.execute("lock table outbox_event_default in access exclusive mode")
        await connection.execute(f'create table "{name}" (like outbox_event including all excluding identity)')
        # There are some only if housekeeping stood still for days. They keep their place: xid and id do not change.
        await connection.execute(
            f"with moved as (delete from outbox_event_default where created_at >= '{start}' and created_at < '{end}' "  # noqa: S608
            f'returning {columns}) insert into "{name}" ({columns}) select {columns} from moved'
        )
        await connection.execute(
            f"alter table outbox_event attach partition \"{name}\" for values from ('{start}') to ('{end}')"
        )
    logger.info("outbox_partition_created", partition=name)


def _midnight(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).isoformat()


async def _list_partitions(connection: Connection) -> set[str]:
    rows = await connection.fetch(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = 'outbox_event'::regclass"
    )
    return {row["relname"] for row in rows if is_partition(row["relname"])}


async def _table_exists(connection: Connection, table: str) -> bool:
    return await connection.fetchval("select to_regclass($1) is not null", table) is True


async def _prune(connection: Connection, table: str, moment: str, age: timedelta) -> None:
    """In small transactions: a long one would hold back every feed of this server."""
    statement = (
        f"delete from {table} where ctid = any(array("  # noqa: S608 - names from this file
        f"select ctid from {table} where {moment} < now() - $1::interval limit {PRUNE_ROWS}))"
    )
    while True:
        status: str = await connection.execute(statement, age)
        if int(status.rsplit(maxsplit=1)[-1]) < PRUNE_ROWS:
            return
