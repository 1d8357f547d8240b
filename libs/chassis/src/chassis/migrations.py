"""Alembic, run the same way by every service: static migrations, one at a time, also when several start at once."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chassis.config import ConfigError, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.events.housekeeping import run_housekeeping

MIGRATION_LOCK = 4_826_001
WAIT_SECONDS = 60
MIGRATION_WAIT = "10min"
# For a table: new requests queue behind a migration that waits for one.
LOCK_TIMEOUT = "5s"
# The partitions of the outbox come and go with the days (events.housekeeping); migrations own the parent alone.
PARTITIONS = "outbox_event_"


def create_alembic_config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(year)d-%%(month).2d-%%(day).2d_%%(slug)s")
    return config


def find_migrations(beside_source: Path) -> Path:
    """The folder beside a service's source; in an image, where the service is a package, that of the working folder."""
    return beside_source if beside_source.is_dir() else Path("migrations").absolute()


async def migrate(name: str, migrations: Path, after_migrate: Callable[[], Awaitable[None]] | None = None) -> None:
    """Bring the database to the newest version, then let the service seed what it must have."""
    engine = create_async_engine(load_config(DatabaseConfig).url)
    try:
        await _wait_for_database(name, engine)
        await upgrade(engine, find_migrations(migrations))
    finally:
        await engine.dispose()
    await _try_housekeeping(name)
    if after_migrate is not None:
        await after_migrate()
    print(f"{name}: the database is up to date")


async def _try_housekeeping(name: str) -> None:
    """The first partitions. A database that is busy gets them from the background process within the hour."""
    try:
        await run_housekeeping(Database(load_config(DatabaseConfig)))
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
        print(f"{name}: housekeeping is put off: {error}", file=sys.stderr)


async def upgrade(engine: AsyncEngine, migrations: Path, revision: str = "head") -> None:
    async with engine.begin() as connection:
        await connection.run_sync(_run_alembic, command.upgrade, migrations, revision)


async def downgrade(engine: AsyncEngine, migrations: Path, revision: str = "base") -> None:
    async with engine.begin() as connection:
        await connection.run_sync(_run_alembic, command.downgrade, migrations, revision)


def _run_alembic(connection: Connection, run: Callable[..., Any], migrations: Path, revision: str) -> None:
    config = create_alembic_config(migrations)
    config.attributes["connection"] = connection
    run(config, revision)


async def _wait_for_database(name: str, engine: AsyncEngine) -> None:
    """A database that is not up yet is waited for, with one line that says so."""
    loop = asyncio.get_running_loop()
    deadline, told = loop.time() + WAIT_SECONDS, False
    while True:
        try:
            async with engine.connect() as connection:
                await connection.execute(text("select 1"))
        except (OSError, asyncpg.PostgresError, DBAPIError) as error:
            if loop.time() > deadline:
                where = f"{engine.url.host}:{engine.url.port}/{engine.url.database}"
                raise ConfigError(f"the database {where} did not answer within {WAIT_SECONDS} s: {error}") from error
            if not told:
                print(f"{name}: waiting for the database", file=sys.stderr)
                told = True
            await asyncio.sleep(0.5)
        else:
            return


def run_env(metadata: MetaData) -> None:
    """The body of each service's `migrations/env.py`."""
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is None:
        asyncio.run(_run_env_online(metadata))
    else:
        _run_migrations(connection, metadata)


async def _run_env_online(metadata: MetaData) -> None:
    """For the `alembic` command itself, such as `make migration`."""
    engine = create_async_engine(load_config(DatabaseConfig).url)
    async with engine.begin() as connection:
        await connection.run_sync(_run_migrations, metadata)
    await engine.dispose()


def _run_migrations(connection: Connection, metadata: MetaData) -> None:
    # The role's own limits are made for requests: waiting for another migration takes as long as that takes.
    connection.execute(text("set local statement_timeout = 0"))
    connection.execute(text(f"set local lock_timeout = '{MIGRATION_WAIT}'"))
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.execute(text(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        include_object=_is_managed,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def _is_managed(_: Any, name: str | None, kind: str, *__: Any) -> bool:
    return not (kind == "table" and (name or "").startswith(PARTITIONS))
