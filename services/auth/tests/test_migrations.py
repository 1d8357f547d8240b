"""The migrations, up and down and up again, and that they make what the models say."""

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from auth.config import MIGRATIONS
from auth.keys.constants import KeyState
from chassis.database.engine import Database
from chassis.database.models import Base
from chassis.events.ddl import is_partition
from chassis.migrations import downgrade, upgrade
from chassis.testing.databases import RolledBackDatabase

TABLES = {
    "profile",
    "profile_account",
    "confirmation",
    "token_session",
    "token_refresh",
    "key_pair",
    "client",
    "idempotency_key",
    "outbox_event",
}


def list_tables(connection: Connection) -> set[str]:
    names = inspect(connection).get_table_names()
    return {name for name in names if not is_partition(name)} - {"alembic_version"}


def list_names(connection: Connection) -> list[tuple[str, str | None]]:
    """Table and name of everything that has a name of its own."""
    inspector = inspect(connection)
    names: list[tuple[str, str | None]] = []
    for table in sorted(list_tables(connection)):
        names.append((table, inspector.get_pk_constraint(table)["name"]))
        names += [(table, item["name"]) for item in inspector.get_foreign_keys(table)]
        names += [(table, item["name"]) for item in inspector.get_unique_constraints(table)]
        names += [(table, item["name"]) for item in inspector.get_check_constraints(table)]
        names += [(table, item["name"]) for item in inspector.get_indexes(table)]
    return names


def find_drift(connection: Connection) -> list[object]:
    # In a run of all tests the metadata holds the tables of the other services too.
    def is_ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name in TABLES

    options = {"compare_server_default": True, "include_object": is_ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


class TestMigrations:
    async def test_up_down_up(self, committed_database: Database) -> None:
        engine = committed_database.engine
        await downgrade(engine, MIGRATIONS)
        async with engine.connect() as connection:
            assert await connection.run_sync(list_tables) == set()
            left = await connection.exec_driver_sql("select proname from pg_proc where proname like 'notify_%%'")
            assert left.all() == []
        await upgrade(engine, MIGRATIONS)
        async with engine.connect() as connection:
            assert await connection.run_sync(list_tables) == TABLES

    async def test_no_drift(self, committed_database: Database) -> None:
        async with committed_database.engine.connect() as connection:
            assert await connection.run_sync(find_drift) == []

    async def test_names(self, committed_database: Database) -> None:
        async with committed_database.engine.connect() as connection:
            names = await connection.run_sync(list_names)
        convention = r"{}(_\w+)?_(pkey|key|fkey|check|idx)"
        assert len(names) > len(TABLES)
        assert [name for table, name in names if not re.fullmatch(convention.format(table), name or "")] == []

    @pytest.mark.parametrize(("constraint", "values"), [("key_pair_state_check", KeyState)])
    async def test_values(self, database: RolledBackDatabase, constraint: str, values: type[KeyState]) -> None:
        """What the code may write is what the database takes."""
        query = "select pg_get_constraintdef(oid) from pg_constraint where conname = $1"
        definition = await database.driver_connection.fetchval(query, constraint)
        assert set(re.findall(r"'(\w+)'", definition)) == set(values)
