"""What every member's migrations must stand: subclass `MigrationSuite` in its tests."""

import asyncio
import os
import re
import sys
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.database.engine import Database
from chassis.events.ddl import is_partition
from chassis.migrations import downgrade, upgrade

NAMES = r"{}(_\w+)?_(pkey|key|fkey|check|idx)"
BOOKKEEPING = {"alembic_version"}


class MigrationSuite:
    async def test_up_down_up(self, committed_database: Database, migrations_path: Path) -> None:
        engine = committed_database.engine
        before = await list_names(engine)
        await downgrade(engine, migrations_path)
        assert await list_names(engine) == []
        async with engine.connect() as connection:
            left = await connection.exec_driver_sql("select proname from pg_proc where proname like 'notify_%%'")
            assert left.all() == []
        await upgrade(engine, migrations_path)
        assert await list_names(engine) == before

    async def test_no_drift(self, committed_database: Database, migrations_path: Path) -> None:
        """`alembic check` in a process of its own: what its env.py imports is all that its metadata holds."""
        config = committed_database.config
        environment = os.environ | {
            "ENVIRONMENT": "local",
            "DATABASE_HOST": config.host,
            "DATABASE_PORT": str(config.port),
            "DATABASE_NAME": config.name,
            "DATABASE_USER": config.user,
            "DATABASE_PASSWORD": config.password.get_secret_value(),
        }
        ini = migrations_path.parent / "alembic.ini"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "alembic", "-c", str(ini), "check",
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()

    async def test_names_follow_the_convention(self, committed_database: Database) -> None:
        names = await list_names(committed_database.engine)
        assert names
        assert [name for table, name in names if not re.fullmatch(NAMES.format(table), name)] == []

    async def test_tables_and_columns_are_named_alike(self, committed_database: Database) -> None:
        """Lower snake case; moments end in `_at`, days in `_date`."""
        async with committed_database.engine.connect() as connection:
            columns = await connection.run_sync(_list_columns)
        assert [name for *name, _ in columns if not all(re.fullmatch(r"[a-z][a-z0-9_]*", part) for part in name)] == []
        endings = {"TIMESTAMP": "_at", "DATE": "_date"}
        wrong = [
            f"{table}.{column}"
            for table, column, kind in columns
            if column.endswith(endings.get(kind, "")) is False or (column.endswith("_at") and kind != "TIMESTAMP")
        ]
        assert wrong == []


async def list_names(engine: AsyncEngine) -> list[tuple[str, str]]:
    """Table and name of everything that has a name of its own, tables included."""
    async with engine.connect() as connection:
        return await connection.run_sync(_list_names)


def _list_tables(connection: Connection) -> list[str]:
    tables = set(inspect(connection).get_table_names()) - BOOKKEEPING
    return sorted(table for table in tables if not is_partition(table))


def _list_names(connection: Connection) -> list[tuple[str, str]]:
    inspector = inspect(connection)
    names: list[tuple[str, str]] = []
    for table in _list_tables(connection):
        parts = [
            inspector.get_pk_constraint(table),
            *inspector.get_foreign_keys(table),
            *inspector.get_unique_constraints(table),
            *inspector.get_check_constraints(table),
            *inspector.get_indexes(table),
        ]
        names += sorted((table, str(part["name"])) for part in parts)
    return names


def _list_columns(connection: Connection) -> list[tuple[str, str, str]]:
    inspector = inspect(connection)
    return [
        (table, column["name"], type(column["type"]).__name__)
        for table in _list_tables(connection)
        for column in inspector.get_columns(table)
    ]
