import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from chassis import migrations
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.migrations import MIGRATION_LOCK, migrate, upgrade
from chassis.testing.polling import wait_until

WAITING = (
    "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = "
    "(select oid from pg_database where datname = current_database())"
)


class TestUpgrade:
    async def test_waits_for_another_for_longer_than_a_request_may(
        self, committed_database: Database, migrations_path: Path
    ) -> None:
        async with committed_database.transaction() as session:
            name = committed_database.config.name
            await session.execute(text(f"alter database {name} set lock_timeout = '50ms'"))
            await session.execute(text(f"alter database {name} set statement_timeout = '50ms'"))
        await committed_database.engine.dispose()

        async def is_waiting() -> bool:
            return bool(await committed_database.reader.fetch_value(WAITING))

        other = await committed_database.connect()
        await other.execute("begin")
        await other.execute("select pg_advisory_xact_lock($1)", MIGRATION_LOCK)
        running = asyncio.create_task(upgrade(committed_database.engine, migrations_path))
        await wait_until(is_waiting)
        await other.execute("select pg_sleep(0.2)")
        assert not running.done()
        await other.execute("commit")
        await other.close()
        await asyncio.wait_for(running, 10)

    async def test_leaves_the_limits_of_the_connection_as_they_were(
        self, committed_database: Database, migrations_path: Path
    ) -> None:
        await upgrade(committed_database.engine, migrations_path)
        async with committed_database.transaction() as session:
            assert await session.scalar(text("show lock_timeout")) == "2s"
            assert await session.scalar(text("show statement_timeout")) == "5s"


class TestMigrate:
    async def test_housekeeping_that_finds_the_tables_locked_is_put_off(
        self,
        committed_database: Database,
        migrations_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(migrations, "load_config", {DatabaseConfig: committed_database.config}.get)
        other = await committed_database.connect()
        await other.execute("begin")
        await other.execute("lock table outbox_event_default in share mode")
        await migrate("tests", migrations_path)
        await other.close()
        output = capsys.readouterr()
        assert "housekeeping is put off" in output.err
        assert "up to date" in output.out
