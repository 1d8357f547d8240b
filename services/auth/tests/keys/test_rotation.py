"""Keys in stages: published before they sign, and while what they signed is good; gone at once if they leak."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, select, update

from auth import __main__ as commands
from auth.audit.models import AuditEntry
from auth.background import rotate_keys as rotate_by_calendar
from auth.keys.config import KeysConfig
from auth.keys.constants import (
    ACCESS_TOKEN_SECONDS,
    JWKS_MAX_AGE_SECONDS,
    NEXT_LEAST_AGE,
    RELOAD_SECONDS,
    RETIRED_KEPT,
    UNKNOWN_RELOAD_SECONDS,
    KeyState,
)
from auth.keys.exceptions import NextKeyTooYoungError, SigningKeyUnknownError
from auth.keys.models import KeyPair
from auth.keys.service import (
    delete_retired_keys,
    ensure_signing_key,
    list_keys,
    rotate_due_keys,
    rotate_keys,
    withdraw_key,
)
from auth.sessions.models import SessionRevocation
from chassis.config import ConfigError, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.security.constants import LEEWAY_SECONDS
from chassis.security.jwks import MIN_REFETCH_SECONDS, STALE_AFTER_SECONDS

PERIOD, MIN_AGE = timedelta(days=90), timedelta(minutes=10)

Keys = dict[KeyState, uuid.UUID]


@pytest.fixture
def fernet() -> Fernet:
    fernet: Fernet = load_config(KeysConfig).create_fernet()
    return fernet


@pytest.fixture
async def seeded(committed_database: Database, fernet: Fernet) -> Database:
    """With a key that signs, and the next."""
    async with committed_database.transaction() as session:
        await ensure_signing_key(session, fernet)
    return committed_database


async def read_keys(database: Database) -> Keys:
    async with database.transaction() as session:
        return {KeyState(pair.state): pair.id for pair in await list_keys(session)}


async def let_pass(database: Database, age: timedelta) -> None:
    """Everything was so long ago."""
    columns = (KeyPair.created_at, KeyPair.activated_at, KeyPair.retired_at)
    async with database.transaction() as session:
        await session.execute(update(KeyPair).values({column: column - age for column in columns}))


async def list_records(database: Database) -> list[tuple[str, dict[str, Any]]]:
    async with database.transaction() as session:
        rows = await session.execute(select(AuditEntry.action, AuditEntry.details).order_by(AuditEntry.id))
        return [(action, details) for action, details in rows]


async def rotate(database: Database, fernet: Fernet, *, min_age: timedelta = MIN_AGE) -> uuid.UUID:
    async with database.transaction() as session:
        return await rotate_keys(session, fernet, min_age=min_age)


async def rotate_due(database: Database, fernet: Fernet) -> uuid.UUID | None:
    async with database.transaction() as session:
        return await rotate_due_keys(session, fernet, period=PERIOD, min_age=MIN_AGE)


class TestTimes:
    """What makes that no request fails: the times fit together."""

    def test_key_is_known_everywhere_before_it_signs(self) -> None:
        longest = UNKNOWN_RELOAD_SECONDS + JWKS_MAX_AGE_SECONDS + STALE_AFTER_SECONDS
        assert load_config(KeysConfig).next_min_age > timedelta(seconds=longest)
        # Where nobody between keeps the list, a service finds a key when it first meets it.
        assert timedelta(seconds=UNKNOWN_RELOAD_SECONDS + MIN_REFETCH_SECONDS) < NEXT_LEAST_AGE

    def test_key_is_published_until_what_it_signed_has_expired(self) -> None:
        assert timedelta(seconds=RELOAD_SECONDS + ACCESS_TOKEN_SECONDS + LEEWAY_SECONDS) < RETIRED_KEPT


class TestRotateKeys:
    async def test_valid(self, seeded: Database, fernet: Fernet) -> None:
        before = await read_keys(seeded)
        await let_pass(seeded, MIN_AGE)
        assert await rotate(seeded, fernet) == before[KeyState.NEXT]
        after = await read_keys(seeded)
        assert after[KeyState.CURRENT] == before[KeyState.NEXT]
        assert after[KeyState.RETIRED] == before[KeyState.CURRENT]
        assert after[KeyState.NEXT] not in before.values()
        details = {"key_id": str(before[KeyState.NEXT]), "former_key_id": str(before[KeyState.CURRENT])}
        assert await list_records(seeded) == [("key_rotated", details | {"by": "command"})]

    async def test_next_is_too_young(self, seeded: Database, fernet: Fernet) -> None:
        before = await read_keys(seeded)
        await let_pass(seeded, MIN_AGE - timedelta(seconds=30))
        with pytest.raises(NextKeyTooYoungError, match=r"try again in (29|30) seconds"):
            await rotate(seeded, fernet)
        assert await read_keys(seeded) == before

    async def test_two_at_once(self, seeded: Database, fernet: Fernet) -> None:
        """One does it; for the others the key that is the next now is too young."""
        before = await read_keys(seeded)
        await let_pass(seeded, MIN_AGE)
        results = await asyncio.gather(*(rotate(seeded, fernet) for _ in range(4)), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["NextKeyTooYoungError"] * 3 + ["UUID"]
        assert (await read_keys(seeded))[KeyState.CURRENT] == before[KeyState.NEXT]
        assert len(await list_records(seeded)) == 1


class TestRotateDueKeys:
    async def test_not_yet(self, seeded: Database, fernet: Fernet) -> None:
        before = await read_keys(seeded)
        await let_pass(seeded, PERIOD - timedelta(minutes=1))
        assert await rotate_due(seeded, fernet) is None
        assert await read_keys(seeded) == before

    async def test_next_is_too_young(self, seeded: Database, fernet: Fernet) -> None:
        """One that was made by a withdrawal a moment ago."""
        await let_pass(seeded, PERIOD)
        async with seeded.transaction() as session:
            await withdraw_key(session, fernet, (await read_keys(seeded))[KeyState.NEXT])
        assert await rotate_due(seeded, fernet) is None
        await let_pass(seeded, MIN_AGE)
        assert await rotate_due(seeded, fernet) is not None

    async def test_several_processes_rotate_once(self, seeded: Database, fernet: Fernet) -> None:
        before = await read_keys(seeded)
        await let_pass(seeded, PERIOD)
        results = await asyncio.gather(*(rotate_due(seeded, fernet) for _ in range(4)))
        assert sorted(results, key=str) == sorted([before[KeyState.NEXT], None, None, None], key=str)
        assert [(action, details["by"]) for action, details in await list_records(seeded)] == [
            ("key_rotated", "schedule")
        ]

    async def test_command_at_the_same_moment(self, seeded: Database, fernet: Fernet) -> None:
        await let_pass(seeded, PERIOD)
        await asyncio.gather(rotate_due(seeded, fernet), rotate(seeded, fernet), return_exceptions=True)
        assert len(await list_records(seeded)) == 1

    @pytest.mark.parametrize(("period", "rotations"), [("P90D", 1), ("PT20S", 1), ("P91D", 0), ("P0D", 0)])
    async def test_setting(
        self, seeded: Database, monkeypatch: pytest.MonkeyPatch, period: str, rotations: int
    ) -> None:
        """None at all is a period too: then only a command rotates."""
        monkeypatch.setenv("KEYS_ROTATION_PERIOD", period)
        load_config.cache_clear()
        await let_pass(seeded, PERIOD)
        await rotate_by_calendar(seeded, load_config(KeysConfig))
        assert len(await list_records(seeded)) == rotations

    @pytest.mark.parametrize(
        ("name", "value"), [("ROTATION_PERIOD", "-P1D"), ("ROTATION_PERIOD", "soon"), ("NEXT_MIN_AGE", "PT19S")]
    )
    def test_setting_of_no_use(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        monkeypatch.setenv(f"KEYS_{name}", value)
        load_config.cache_clear()
        with pytest.raises(ConfigError, match=f"KEYS_{name}"):
            load_config(KeysConfig)


class TestWithdrawKey:
    async def withdraw(self, database: Database, fernet: Fernet, kid: uuid.UUID) -> None:
        async with database.transaction() as session:
            await withdraw_key(session, fernet, kid)

    async def test_current(self, seeded: Database, fernet: Fernet) -> None:
        """However young the next one is."""
        before = await read_keys(seeded)
        await self.withdraw(seeded, fernet, before[KeyState.CURRENT])
        after = await read_keys(seeded)
        assert after[KeyState.CURRENT] == before[KeyState.NEXT]
        assert set(after) == {KeyState.CURRENT, KeyState.NEXT}
        details = {"key_id": str(before[KeyState.CURRENT]), "state": "current"}
        assert await list_records(seeded) == [("key_withdrawn", details)]

    async def test_next(self, seeded: Database, fernet: Fernet) -> None:
        before = await read_keys(seeded)
        await self.withdraw(seeded, fernet, before[KeyState.NEXT])
        after = await read_keys(seeded)
        assert after[KeyState.CURRENT] == before[KeyState.CURRENT]
        assert after[KeyState.NEXT] not in before.values()

    async def test_retired(self, seeded: Database, fernet: Fernet) -> None:
        await rotate(seeded, fernet, min_age=timedelta(0))
        before = await read_keys(seeded)
        await self.withdraw(seeded, fernet, before.pop(KeyState.RETIRED))
        assert await read_keys(seeded) == before

    async def test_not_found(self, seeded: Database, fernet: Fernet) -> None:
        before = await read_keys(seeded)
        with pytest.raises(SigningKeyUnknownError):
            await self.withdraw(seeded, fernet, uuid.uuid4())
        assert await read_keys(seeded) == before

    async def test_two_at_once(self, seeded: Database, fernet: Fernet) -> None:
        """The second does not take the key that was put in the leaked one's place."""
        before = await read_keys(seeded)
        leaked = before[KeyState.CURRENT]
        results = await asyncio.gather(
            *(self.withdraw(seeded, fernet, leaked) for _ in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results if result is not None] == [SigningKeyUnknownError] * 2
        assert (await read_keys(seeded))[KeyState.CURRENT] == before[KeyState.NEXT]


class TestDeleteRetiredKeys:
    async def test_valid(self, seeded: Database, fernet: Fernet) -> None:
        await rotate(seeded, fernet, min_age=timedelta(0))
        await let_pass(seeded, RETIRED_KEPT)
        await rotate(seeded, fernet, min_age=timedelta(0))
        kept = await read_keys(seeded)
        async with seeded.transaction() as session:
            assert await delete_retired_keys(session) == 0
            assert [pair.id for pair in await list_keys(session)] == sorted(kept.values())


class TestCommands:
    """`python -m auth keys list|rotate|withdraw`."""

    @pytest.fixture(autouse=True)
    def database_of_command(self, seeded: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        configs = {DatabaseConfig: seeded.config}
        monkeypatch.setattr(commands, "load_config", lambda kind: configs.get(kind) or load_config(kind))

    async def test_list(self, seeded: Database, fernet: Fernet) -> None:
        await rotate(seeded, fernet, min_age=timedelta(0))
        keys = await read_keys(seeded)
        lines = [line.split() for line in await commands.list_signing_keys()]
        assert [(line[0], line[1]) for line in lines] == [
            (str(keys[state]), state) for state in (KeyState.RETIRED, KeyState.CURRENT, KeyState.NEXT)
        ]

    async def test_rotate(self, seeded: Database) -> None:
        following = (await read_keys(seeded))[KeyState.NEXT]
        with pytest.raises(ConfigError, match="keys withdraw"):
            await commands.rotate()
        await let_pass(seeded, MIN_AGE)
        [line] = await commands.rotate()
        assert line.startswith(str(following))

    async def test_withdraw(self, seeded: Database) -> None:
        """All services are told, as of a session that has ended."""
        leaked = (await read_keys(seeded))[KeyState.CURRENT]
        await commands.withdraw(str(leaked))
        async with seeded.transaction() as session:
            assert (await session.scalars(select(SessionRevocation.session_id))).all() == [leaked]

    @pytest.mark.parametrize("key_id", ["", "current", "01980000-0000-7000-8000-0000000000aa"])
    async def test_withdraw_of_nothing(self, seeded: Database, key_id: str) -> None:
        with pytest.raises(ConfigError):
            await commands.withdraw(key_id)
        async with seeded.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(SessionRevocation))).one() == 0
