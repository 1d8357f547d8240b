"""The services as clients: seeded by `migrate`, brought up to date by the next one."""

import asyncio

import pytest
from sqlalchemy import Select, Text, literal_column, select

from auth.__main__ import seed
from auth.clients.constants import SERVICE_SCOPES
from auth.clients.models import Client
from auth.clients.service import check_client, seed_clients
from auth.keys.models import KeyPair
from chassis.config import ConfigError, load_config
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase

SECRETS = {"posts": "one", "notifications": "two", "worker": "three"}


class TestSeedClients:
    async def test_each_service_gets_its_scopes(self, database: RolledBackDatabase) -> None:
        async with database.transaction() as session:
            await seed_clients(session, SECRETS)
        for client_id, secret in SECRETS.items():
            assert await check_client(database.reader, client_id, secret) == frozenset(SERVICE_SCOPES[client_id])

    async def test_changed_secret_replaces_the_old_one(self, database: RolledBackDatabase) -> None:
        async with database.transaction() as session:
            await seed_clients(session, SECRETS)
            await seed_clients(session, SECRETS | {"posts": "new"})
        assert await check_client(database.reader, "posts", "one") is None
        assert await check_client(database.reader, "posts", "new") is not None
        assert await check_client(database.reader, "worker", "three") is not None

    async def test_same_again_writes_nothing(self, database: RolledBackDatabase) -> None:
        row_versions: Select[str] = select(literal_column("ctid::text", Text())).select_from(Client)
        async with database.transaction() as session:
            await seed_clients(session, SECRETS)
            before = (await session.scalars(row_versions)).all()
            await seed_clients(session, SECRETS)
            assert (await session.scalars(row_versions)).all() == before

    async def test_wrong_secret_and_unknown_client(self, database: RolledBackDatabase) -> None:
        async with database.transaction() as session:
            await seed_clients(session, SECRETS)
        assert await check_client(database.reader, "posts", "two") is None
        assert await check_client(database.reader, "posts", "") is None
        assert await check_client(database.reader, "billing", "one") is None


class TestSeed:
    """What `python -m auth migrate` does after the migrations."""

    @pytest.fixture
    def environment_of_database(self, committed_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        config = committed_database.config
        values = {
            "PASSWORD": config.password.get_secret_value(),
            "HOST": config.host,
            "PORT": str(config.port),
            "NAME": config.name,
            "USER": config.user,
        }
        for name, value in values.items():
            monkeypatch.setenv(f"DATABASE_{name}", value)
        for client_id in SECRETS:
            monkeypatch.setenv(f"CLIENTS_{client_id.upper()}_SECRET", f"of-{client_id}")
        load_config.cache_clear()

    @pytest.mark.usefixtures("environment_of_database")
    async def test_valid_also_when_several_start_at_once(self, committed_database: Database) -> None:
        await asyncio.gather(*(seed() for _ in range(3)))
        async with committed_database.transaction() as session:
            assert (await session.scalars(select(KeyPair.state).order_by(KeyPair.state))).all() == ["current", "next"]
        assert await check_client(committed_database.reader, "worker", "of-worker") == frozenset(
            {"jobs:work", "exports:read"}
        )

    @pytest.mark.usefixtures("environment_of_database")
    async def test_missing_secret_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CLIENTS_WORKER_SECRET")
        with pytest.raises(ConfigError, match="CLIENTS_WORKER_SECRET is not set"):
            await seed()
