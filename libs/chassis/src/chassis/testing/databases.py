"""Databases for tests: a template made by the real migrations, and two ways to use it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from chassis.config import Environment
from chassis.database.config import DatabaseConfig
from chassis.database.engine import SERVER_SETTINGS, Database, set_json_codec
from chassis.database.queries import Acquire, HotQuery, Reader
from chassis.migrations import upgrade
from embedded.postgres import EmbeddedPostgres


def create_database_config(server: EmbeddedPostgres, name: str) -> DatabaseConfig:
    return DatabaseConfig.model_construct(
        environment=Environment.LOCAL,
        host=server.host,
        port=server.port,
        name=name,
        user=server.superuser,
        password=SecretStr(server.password),
        pool_size=10,
        reader_pool_size=10,
        # On a busy machine a race may take its time: what is tested is who wins.
        acquire_seconds=20.0,
        processes=1,
    )


class Templates:
    """One database for each folder of migrations that a test run meets, built when it is first asked for."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._configs: dict[Path, DatabaseConfig] = {}

    async def get_template(self, migrations: Path) -> DatabaseConfig:
        if migrations not in self._configs:
            name = f"template_{len(self._configs)}"
            await execute_as_superuser(self._server, f"create database {name}")
            config = create_database_config(self._server, name)
            engine = create_async_engine(config.url, poolclass=NullPool)
            await upgrade(engine, migrations)
            await engine.dispose()
            self._configs[migrations] = config
        return self._configs[migrations]


class RecordingReader(Reader):
    """Notes the statements of hot reads; asyncpg's own query log does not see those of SQLAlchemy."""

    def __init__(self, acquire: Acquire, statement_log: list[str]) -> None:
        super().__init__(acquire)
        self._statement_log = statement_log

    async def fetch_row(self, query: HotQuery, **parameters: Any) -> "asyncpg.Record | None":
        self._statement_log.append(query.sql)
        return await super().fetch_row(query, **parameters)

    async def fetch_rows(self, query: HotQuery, **parameters: Any) -> "list[asyncpg.Record]":
        self._statement_log.append(query.sql)
        return await super().fetch_rows(query, **parameters)


class RolledBackDatabase(Database):
    """All sessions and hot reads of a test on one connection, in one transaction that is rolled back.

    Requests must come one after the other: for races there is `committed_database`.
    """

    async def bind(self, connection: AsyncConnection) -> None:
        raw = await connection.get_raw_connection()
        self.driver_connection: asyncpg.Connection = raw.driver_connection
        self.statement_log: list[str] = []
        # Models hold JSON as jsonb only, so the codec of plain json is the reader's to set.
        await set_json_codec(self.driver_connection)
        lock = asyncio.Lock()

        @asynccontextmanager
        async def acquire() -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
            async with lock:
                yield self.driver_connection

        self.reader = RecordingReader(acquire, self.statement_log)
        event.listen(connection.sync_connection, "before_cursor_execute", self._record_statement)
        self.sessions = async_sessionmaker(
            connection, expire_on_commit=False, autoflush=False, join_transaction_mode="create_savepoint"
        )

    def _record_statement(self, _: Any, __: Any, statement: str, *___: Any) -> None:
        self.statement_log.append(statement)


@asynccontextmanager
async def open_rolled_back_database(config: DatabaseConfig) -> AsyncIterator[RolledBackDatabase]:
    engine = create_async_engine(config.url, poolclass=NullPool, connect_args={"server_settings": SERVER_SETTINGS})
    database = RolledBackDatabase(config)
    async with engine.connect() as connection:
        transaction = await connection.begin()
        await database.bind(connection)
        yield database
        await transaction.rollback()
    await engine.dispose()


@asynccontextmanager
async def open_committed_database(server: EmbeddedPostgres, template: str) -> AsyncIterator[Database]:
    """A database of its own for one test, cloned from the template: several connections, real commits."""
    name = f"test_{secrets.token_hex(6)}"
    await execute_as_superuser(server, f'create database "{name}" template "{template}"')
    database = Database(create_database_config(server, name))
    await database.open()
    try:
        yield database
    finally:
        await database.close()
        await execute_as_superuser(server, f'drop database "{name}" with (force)')


async def execute_as_superuser(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(
        host=server.host, port=server.port, user=server.superuser, password=server.password, database="postgres"
    )
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
