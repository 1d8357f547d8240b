import re
from collections.abc import Iterable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from chassis.database.engine import Database
from chassis.database.models import Base
from chassis.jobs.models import JobState
from chassis.migrations import downgrade, upgrade
from chassis.testing.databases import RolledBackDatabase
from notifications.config import MIGRATIONS
from notifications.deliveries.constants import DeliveryPolicy, EmailKind, EmailState
from notifications.inbox.constants import NotificationKind

TABLES = {
    "reader",
    "reader_follow",
    "notification",
    "delivery_email",
    "feed_cursor",
    "inbox_event",
    "inbox_dead_event",
}


def list_tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def list_names(connection: Connection) -> list[tuple[str, str | None]]:
    inspector = inspect(connection)
    names: list[tuple[str, str | None]] = []
    for table in list_tables(connection):
        names.append((table, inspector.get_pk_constraint(table)["name"]))
        names += [(table, constraint["name"]) for constraint in inspector.get_unique_constraints(table)]
        names += [(table, constraint["name"]) for constraint in inspector.get_check_constraints(table)]
        names += [(table, index["name"]) for index in inspector.get_indexes(table)]
    return names


def find_drift(connection: Connection) -> list[object]:
    # The metadata is one for all of the chassis, whose other tables are no business of this service.
    def is_ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name in TABLES

    options = {"compare_server_default": True, "include_object": is_ours}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, Base.metadata))


class TestMigrations:
    async def test_up_down_up(self, committed_database: Database) -> None:
        engine = committed_database.engine
        await downgrade(engine, MIGRATIONS)
        async with engine.connect() as connection:
            assert await connection.run_sync(list_tables) == set()
            left = await connection.exec_driver_sql("select proname from pg_proc where proname like 'notify_%'")
            assert left.all() == []
        await upgrade(engine, MIGRATIONS)
        async with engine.connect() as connection:
            assert await connection.run_sync(list_tables) == TABLES

    async def test_no_drift(self, committed_database: Database) -> None:
        async with committed_database.engine.connect() as connection:
            assert await connection.run_sync(find_drift) == []

    @pytest.mark.parametrize(
        ("constraint", "values"),
        [
            ("notification_kind_check", NotificationKind),
            ("delivery_email_kind_check", EmailKind),
            ("delivery_email_policy_check", DeliveryPolicy),
            ("delivery_email_state_check", [*JobState, *EmailState]),
        ],
    )
    async def test_values(self, database: RolledBackDatabase, constraint: str, values: Iterable[str]) -> None:
        """What the code may write is what the database takes."""
        query = "select pg_get_constraintdef(oid) from pg_constraint where conname = $1"
        definition = await database.driver_connection.fetchval(query, constraint)
        assert set(re.findall(r"'(\w+)'", definition)) == set(values)

    async def test_names(self, committed_database: Database) -> None:
        async with committed_database.engine.connect() as connection:
            names = await connection.run_sync(list_names)
        assert names
        by_convention = r"{}(_\w+)?_(pkey|key|check|idx)"
        assert [name for table, name in names if not re.fullmatch(by_convention.format(table), name or "")] == []
