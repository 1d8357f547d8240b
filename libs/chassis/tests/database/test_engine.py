import asyncpg
import pytest
from sqlalchemy import text

from chassis.config import ConfigError
from chassis.database import engine
from chassis.database.engine import Database


async def set_connection_limit(database: Database, limit: int) -> Database:
    """The same database as a service's role reaches it: without the privileges of a superuser."""
    role = f"role_{database.config.name}"
    async with database.transaction() as session:
        await session.execute(text(f"create role {role} login password 'secret' connection limit {limit}"))
        await session.execute(text(f"grant connect on database {database.config.name} to {role}"))
    config = database.config.model_copy(update={"user": role, "password": type(database.config.password)("secret")})
    return Database(config.model_copy(update={"pool_size": 5, "reader_pool_size": 5, "processes": 2}))


class TestCheckConnectionBudget:
    # Two API processes of 5 + 5 + 1 connections, and a background process of 5 + 5 + 4.
    async def test_valid(self, committed_database: Database) -> None:
        async with await set_connection_limit(committed_database, 37):
            pass

    async def test_role_may_have_fewer(self, committed_database: Database) -> None:
        database = await set_connection_limit(committed_database, 36)
        with pytest.raises(ConfigError, match=r"ask for 37 connections; PostgreSQL allows role_\w+ 36"):
            async with database:
                pass
        await database.close()

    async def test_role_without_a_limit(self, committed_database: Database) -> None:
        database = await set_connection_limit(committed_database, -1)
        async with database:
            await database.check_connection_budget()
        crowded = Database(database.config.model_copy(update={"processes": 18}))
        with pytest.raises(ConfigError, match="ask for 213 connections"):
            async with crowded:
                pass
        await crowded.close()


class TestConnect:
    async def test_server_notices_that_a_machine_is_gone(self, committed_database: Database) -> None:
        """Within half a minute: until then nobody else can take the lock of a leader."""
        connection = await committed_database.connect()
        names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
        idle, interval, count = [int(await connection.fetchval("select current_setting($1)", name)) for name in names]
        await connection.close()
        assert idle > 0
        assert idle + interval * count <= 30

    async def test_command_that_is_not_answered(
        self, committed_database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engine, "SERVER_TIMEOUT_SECONDS", 0.1)
        connection = await committed_database.connect()
        with pytest.raises(TimeoutError):
            await connection.fetchval("select pg_sleep(3)")
        await connection.close()


class TestClose:
    async def test_query_that_does_not_end(self, committed_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(engine, "CLOSE_SECONDS", 0.05)
        database = Database(committed_database.config)
        await database.open()
        async with database.transaction() as session:
            await session.execute(text("select 1"))
        assert database.engine.pool.checkedin() == 1  # type: ignore[attr-defined]
        held = database._acquire()
        connection = await held.__aenter__()
        await database.close()
        with pytest.raises(asyncpg.InterfaceError):
            await connection.fetchval("select 1")
        assert database.engine.pool.checkedin() == 0  # type: ignore[attr-defined]
