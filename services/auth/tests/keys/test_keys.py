"""Signing keys: made once, kept encrypted, published, and more than one of them good at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy import select, update

from auth.keys.config import KeysConfig
from auth.keys.constants import RELOAD_SECONDS, KeyState
from auth.keys.exceptions import SigningKeyMissingError
from auth.keys.models import KeyPair
from auth.keys.service import KeyRing, ensure_signing_key, rotate_keys, withdraw_key
from auth.profiles.models import Profile
from chassis.config import ConfigError, load_config
from chassis.database.engine import Database
from chassis.database.queries import HotQuery, Reader
from chassis.security.jwks import parse_jwks
from chassis.security.revocation import RevocationMap
from chassis.testing.clock import HeldClock
from chassis.testing.databases import RolledBackDatabase

CreateProfile = Callable[..., Awaitable[Profile]]
Login = Callable[[FastAPI, Profile], Awaitable[dict[str, str]]]


async def seed_key(database: Database, fernet: Fernet) -> None:
    async with database.transaction() as session:
        await ensure_signing_key(session, fernet)


async def rotate(database: Database, fernet: Fernet, *, retired_minutes: int = 0) -> None:
    """A new key signs, the one before is retired, and was so many minutes ago."""
    async with database.transaction() as session:
        current = await rotate_keys(session, fernet, min_age=timedelta(0))
        past = KeyPair.retired_at - timedelta(minutes=retired_minutes)
        await session.execute(update(KeyPair).where(KeyPair.id < current).values(retired_at=past))


class TestEnsureSigningKey:
    async def test_several_that_start_at_once_make_one_and_the_next(self, committed_database: Database) -> None:
        fernet = load_config(KeysConfig).create_fernet()
        await asyncio.gather(*(seed_key(committed_database, fernet) for _ in range(5)))
        async with committed_database.transaction() as session:
            pair, following = await session.scalars(select(KeyPair).order_by(KeyPair.state))
        assert (pair.state, following.state) == (KeyState.CURRENT, KeyState.NEXT)
        assert pair.public_key != following.public_key
        private_key = Ed25519PrivateKey.from_private_bytes(fernet.decrypt(pair.encrypted_private_key))
        assert private_key.public_key().public_bytes_raw() == pair.public_key
        assert private_key.private_bytes_raw() not in pair.encrypted_private_key

    async def test_other_encryption_key_is_told_in_one_line(self, database: RolledBackDatabase) -> None:
        await seed_key(database, load_config(KeysConfig).create_fernet())
        with pytest.raises(ConfigError, match="KEYS_ENCRYPTION_KEY is not the one"):
            await seed_key(database, Fernet(Fernet.generate_key()))

    def test_encryption_key_of_another_shape_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KEYS_ENCRYPTION_KEY", "canary-canary-canary")
        with pytest.raises(ConfigError, match="KEYS_ENCRYPTION_KEY must be 32 bytes") as caught:
            load_config(KeysConfig)
        assert "canary" not in str(caught.value)


class TestListKeys:
    async def test_valid(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        response = await client.get("/.well-known/jwks.json")
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=60"
        key, following = response.json()["keys"]
        assert key.keys() == following.keys()
        assert {name: key[name] for name in ("kty", "crv", "alg", "use")} == {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
        }
        assert "d" not in key
        signing_key = await app.state.key_ring.get_signing_key()
        parsed = parse_jwks(response.json(), "auth")
        assert parsed[signing_key.kid] == signing_key.private_key.public_key()

    async def test_retired_key_stays_for_a_while(self, client: httpx.AsyncClient, database: RolledBackDatabase) -> None:
        fernet = load_config(KeysConfig).create_fernet()
        await rotate(database, fernet, retired_minutes=2)
        await rotate(database, fernet, retired_minutes=9)
        assert len((await client.get("/.well-known/jwks.json")).json()["keys"]) == 3


class AwayReader(Reader):
    """A database that can be switched off."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader._acquire)
        self.is_away = False
        self.reads = 0

    async def fetch_rows(self, query: HotQuery, **parameters: object) -> "list[object]":
        self.reads += 1
        if self.is_away:
            raise ConnectionRefusedError
        return await super().fetch_rows(query, **parameters)


class TestKeyRing:
    @pytest.fixture
    def fernet(self) -> Fernet:
        fernet: Fernet = load_config(KeysConfig).create_fernet()
        return fernet

    @pytest.fixture
    def clock(self) -> HeldClock:
        return HeldClock()

    @pytest.fixture
    def reader(self, database: RolledBackDatabase) -> AwayReader:
        return AwayReader(database.reader)

    @pytest.fixture
    def ring(self, reader: AwayReader, fernet: Fernet, clock: HeldClock) -> KeyRing:
        return KeyRing(reader, fernet, clock=clock)

    async def test_before_the_first_migration(self, ring: KeyRing) -> None:
        with pytest.raises(SigningKeyMissingError):
            await ring.get_signing_key()

    async def test_rotation_fails_no_request(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
        fernet: Fernet,
        clock: HeldClock,
    ) -> None:
        profile = await create_profile(database)
        app.state.key_ring._clock = clock
        before = await login(app, profile)
        await rotate(database, fernet)
        clock.advance(RELOAD_SECONDS)
        after = await login(app, profile)
        for headers in (before, after):
            assert (await client.get("/profiles/me", headers=headers)).status_code == 200

    async def test_key_of_another_process_is_found(
        self, ring: KeyRing, database: RolledBackDatabase, fernet: Fernet, clock: HeldClock
    ) -> None:
        await seed_key(database, fernet)
        old = await ring.get_signing_key()
        for _ in range(2):  # the first brings a key that is known
            await rotate(database, fernet)
        async with database.transaction() as session:
            new_id = (await session.scalars(select(KeyPair.id).filter_by(state=KeyState.CURRENT))).one()
        clock.advance(6)
        assert await ring.get_key(str(new_id)) is not None
        assert await ring.get_key(old.kid) is not None
        assert (await ring.get_signing_key()).kid == str(new_id)

    async def test_withdrawn_key_signs_no_more(
        self, reader: AwayReader, database: RolledBackDatabase, fernet: Fernet, clock: HeldClock
    ) -> None:
        """At once: what it signed would be refused."""
        revocations = RevocationMap()
        ring = KeyRing(reader, fernet, revocations, clock=clock)
        await seed_key(database, fernet)
        leaked = await ring.get_signing_key()
        async with database.transaction() as session:
            await withdraw_key(session, fernet, UUID(leaked.kid))
        revocations.add(leaked.kid, time.time())
        key = await ring.get_signing_key()
        assert key.kid != leaked.kid
        assert await ring.get_signing_key() is key
        assert await ring.get_key(leaked.kid) is None
        assert reader.reads == 2

    async def test_invented_ids_do_not_reach_the_database(
        self, ring: KeyRing, reader: AwayReader, database: RolledBackDatabase, fernet: Fernet
    ) -> None:
        await seed_key(database, fernet)
        for number in range(50):
            assert await ring.get_key(f"invented-{number}") is None
        assert reader.reads == 1

    async def test_goes_on_while_the_database_is_away(
        self, ring: KeyRing, reader: AwayReader, database: RolledBackDatabase, fernet: Fernet, clock: HeldClock
    ) -> None:
        reader.is_away = True
        with pytest.raises(ConnectionRefusedError):
            await ring.get_signing_key()
        reader.is_away = False
        await seed_key(database, fernet)
        key = await ring.get_signing_key()
        reader.is_away = True
        clock.advance(RELOAD_SECONDS)
        assert await ring.get_signing_key() == key
        assert await ring.get_key(key.kid) is not None
