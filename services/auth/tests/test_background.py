"""What the background process keeps in order."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from auth.background import prune_all, run_background
from auth.confirmations.constants import PRUNE_CONFIRMATIONS
from auth.confirmations.models import Confirmation
from auth.profiles.models import Profile
from chassis.background import get_heartbeat_path
from chassis.config import load_config
from chassis.database.engine import Database
from chassis.testing.polling import wait_until

CreateProfile = Callable[..., Awaitable[Profile]]


async def count_confirmations(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(Confirmation))).one()


async def add_old_confirmations(database: Database, profile: Profile, number: int) -> None:
    past = func.now() - text("interval '3 days'")
    rows = [{"profile_id": profile.id, "token_digest": index.to_bytes(32)} for index in range(number)]
    async with database.transaction() as session:
        await session.execute(insert(Confirmation).values(created_at=past, expires_at=past, purpose="sign_up"), rows)


class TestPruneAll:
    async def test_goes_on_until_nothing_is_left(
        self, committed_database: Database, create_profile: CreateProfile
    ) -> None:
        profile = await create_profile(committed_database)
        await add_old_confirmations(committed_database, profile, PRUNE_CONFIRMATIONS + 1)
        await prune_all(committed_database)
        assert await count_confirmations(committed_database) == 0

    async def test_two_at_once(self, committed_database: Database, create_profile: CreateProfile) -> None:
        profile = await create_profile(committed_database)
        await add_old_confirmations(committed_database, profile, 10)
        await asyncio.gather(*(prune_all(committed_database) for _ in range(3)))
        assert await count_confirmations(committed_database) == 0


class TestRunBackground:
    @pytest.fixture
    def environment_of_database(
        self, committed_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        config = committed_database.config
        password = config.password.get_secret_value()
        values = {"HOST": config.host, "PORT": str(config.port), "NAME": config.name, "USER": config.user}
        for name, value in {**values, "PASSWORD": password}.items():
            monkeypatch.setenv(f"DATABASE_{name}", value)
        load_config.cache_clear()

    @pytest.mark.usefixtures("environment_of_database")
    async def test_keeps_house_until_it_is_told_to_stop(
        self, committed_database: Database, create_profile: CreateProfile
    ) -> None:
        profile = await create_profile(committed_database)
        await add_old_confirmations(committed_database, profile, 1)
        running = asyncio.create_task(run_background())

        async def is_done() -> bool:
            partitions = await committed_database.reader.fetch_value(
                "select count(*) from pg_inherits where inhparent = 'outbox_event'::regclass"
            )
            return partitions >= 4 and await count_confirmations(committed_database) == 0

        await wait_until(is_done)
        assert get_heartbeat_path("auth").exists()
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        assert not get_heartbeat_path("auth").exists()
