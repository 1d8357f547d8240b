"""What a login is checked for, in which order, and what is held meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import QueuePool, func, select, update

from auth.accounts.constants import ROLE_SCOPES, Role
from auth.accounts.models import Account
from auth.accounts.service import lock_account
from auth.audit.models import AuditEntry
from auth.clients.constants import DELEGABLE_SCOPES
from auth.passwords.utils import PasswordHashing
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession, RefreshToken
from auth.sessions.service import end_superfluous
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

CreateProfile = Callable[..., Awaitable[Profile]]
CreateClientAt = Callable[[FastAPI, str], httpx.AsyncClient]
RequestToken = Callable[..., Coroutine[None, None, httpx.Response]]

WRONG = "Wrong-Horse-8-Battery"


@pytest.fixture
async def email(app: FastAPI, database: RolledBackDatabase, create_profile: CreateProfile) -> str:
    assert app.state.database is database
    return f"{(await create_profile(database)).username}@people.example"


class TestBannedAccount:
    @pytest.fixture(autouse=True)
    async def ban(self, email: str, database: RolledBackDatabase) -> None:
        async with database.transaction() as session:
            await session.execute(update(Account).where(Account.email == email).values(banned_at=func.now()))

    async def test_told_to_who_knows_the_password(
        self, client: httpx.AsyncClient, email: str, request_token: RequestToken
    ) -> None:
        response = await request_token(client, username=email)
        assert (response.status_code, response.json()["code"]) == (403, "account_banned")
        assert response.json()["error"] == "invalid_grant"

    async def test_and_to_nobody_else(self, client: httpx.AsyncClient, email: str, request_token: RequestToken) -> None:
        wrong = await request_token(client, username=email, password=WRONG)
        unknown = await request_token(client, username="nobody@people.example", password=WRONG)
        assert (wrong.status_code, wrong.json()["code"]) == (401, "credentials_invalid")
        assert wrong.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}

    async def test_no_session_begins(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, request_token: RequestToken
    ) -> None:
        await request_token(client, username=email)
        async with database.transaction() as session:
            assert (await session.scalars(select(LoginSession))).all() == []


class TestAudit:
    async def list_entries(self, database: RolledBackDatabase) -> list[tuple[str, bool, str | None]]:
        async with database.transaction() as session:
            entries = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [(entry.action, entry.subject_id is not None, entry.details.get("reason")) for entry in entries]

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, request_token: RequestToken
    ) -> None:
        await request_token(client, username=email)
        await request_token(client, username=email, password=WRONG)
        await request_token(client, username="nobody@people.example", password=WRONG)
        assert await self.list_entries(database) == [
            ("login_succeeded", True, None),
            ("login_failed", True, "credentials"),
            ("login_failed", False, "credentials"),
        ]

    @pytest.mark.parametrize(
        ("values", "status", "reason"),
        [({"banned_at": func.now()}, 403, "banned"), ({"confirmed_at": None}, 401, "credentials")],
    )
    async def test_refused_for_the_state_of_the_account(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        email: str,
        request_token: RequestToken,
        values: dict[str, Any],
        status: int,
        reason: str,
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(Account).where(Account.email == email).values(**values))
        assert (await request_token(client, username=email)).status_code == status
        assert await self.list_entries(database) == [("login_failed", True, reason)]

    async def test_names_nobody(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, request_token: RequestToken
    ) -> None:
        await request_token(client, username=email, headers={"User-Agent": "canary-agent"})
        await request_token(client, username=email, password="canary-7-canary")
        async with database.transaction() as session:
            entries = (await session.scalars(select(AuditEntry))).all()
        text = str([(entry.address, entry.details) for entry in entries])
        assert email not in text
        assert "canary" not in text


class WatchedHashing:
    """Looks, while a password is checked, at what the request holds."""

    def __init__(self, hashing: PasswordHashing, database: Database) -> None:
        self._hashing = hashing
        self._database = database
        self.held: list[int] = []

    async def verify_password(self, password: str, password_hash: str | None) -> bool:
        self._look()
        return await self._hashing.verify_password(password, password_hash)

    async def hash_password(self, password: str) -> str:
        self._look()
        return await self._hashing.hash_password(password)

    def needs_rehash(self, password_hash: str) -> bool:
        return bool(password_hash)

    def _look(self) -> None:
        sessions, readers = self._database.engine.pool, self._database._pool
        assert isinstance(sessions, QueuePool)
        assert readers is not None
        self.held.append(sessions.checkedout() + readers.get_size() - readers.get_idle_size())


class TestWhileHashing:
    @pytest.mark.parametrize("password", ["Correct-Horse-7-Battery", WRONG])
    async def test_no_connection_is_held(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        create_profile: CreateProfile,
        request_token: RequestToken,
        password: str,
    ) -> None:
        database: Database = committed_app.state.database
        profile = await create_profile(database)
        watched = WatchedHashing(committed_app.state.hashing, database)
        committed_app.state.hashing = watched
        await request_token(committed_client, username=f"{profile.username}@people.example", password=password)
        assert watched.held
        assert set(watched.held) == {0}


class TestOnKnownDevice:
    """The same login in one statement."""

    @pytest.fixture
    async def token(self, client: httpx.AsyncClient, email: str, request_token: RequestToken) -> str:
        answer = await request_token(client, username=email, delivery="body")
        return str(answer.json()["device_token"])

    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        email: str,
        request_token: RequestToken,
        token: str,
    ) -> None:
        with record_statements(database) as statements:
            answer = await request_token(client, username=email, delivery="body", device_token=token)
        assert answer.status_code == 200
        assert len(statements) == 3  # who it is, whether the device is known, the session
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await client.get("/profiles/me", headers=headers)).json()["email"] == email
        refresh = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
        assert (await request_token(client, **refresh)).status_code == 200

    async def test_writes_what_the_long_way_writes(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, request_token: RequestToken,
        token: str,
    ) -> None:  # fmt: skip
        await request_token(client, username=email, delivery="body", device_token=token)
        async with database.transaction() as session:
            long, short = (await session.scalars(select(LoginSession).order_by(LoginSession.id))).all()
            entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
            refreshes = (await session.scalars(select(RefreshToken.generation))).all()
        for name in ("profile_id", "client_id", "scope", "amr", "acr", "user_agent", "address", "generation"):
            assert getattr(long, name) == getattr(short, name)
        lifetimes = [(item.expires_at - item.created_at, item.idle_ends_at - item.created_at) for item in (long, short)]
        assert lifetimes[0] == lifetimes[1]
        assert refreshes == [0, 0]
        assert [entry.action for entry in entries] == ["login_succeeded"] * 2
        assert entries[0].details.keys() == entries[1].details.keys()
        assert entries[1].details["session_id"] == str(short.id)
        assert (entries[0].actor_id, entries[0].address) == (entries[1].actor_id, entries[1].address)

    async def test_superfluous_sessions_end(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        monkeypatch: pytest.MonkeyPatch,
        email: str,
        request_token: RequestToken,
        token: str,
    ) -> None:
        monkeypatch.setattr("auth.logins.service.MAX_SESSIONS", 1)
        monkeypatch.setattr(end_superfluous, "__kwdefaults__", {"client_id": "broadsheet", "kept": 1})
        for _ in range(3):
            await request_token(client, username=email, delivery="body", device_token=token)
        async with database.transaction() as session:
            assert (await session.scalars(select(func.count()).where(LoginSession.revoked_at.is_(None)))).one() == 1

    @pytest.mark.parametrize("change", ["banned_at", "password_hash", "roles"])
    async def test_account_that_changes_meanwhile(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        monkeypatch: pytest.MonkeyPatch,
        email: str,
        request_token: RequestToken,
        token: str,
        change: str,
    ) -> None:
        values: dict[str, Any] = {"banned_at": func.now(), "password_hash": "another", "roles": ["admin"]}
        verify = app.state.hashing.verify_password

        async def change_and_verify(password: str, password_hash: str | None) -> bool:
            async with database.transaction() as session:
                await session.execute(update(Account).where(Account.email == email).values({change: values[change]}))
            return bool(await verify(password, password_hash))

        monkeypatch.setattr(app.state.hashing, "verify_password", change_and_verify)
        response = await request_token(client, username=email, delivery="body", device_token=token)
        assert (response.status_code, response.json()["code"]) == (409, "account_changed")


class TestScope:
    @pytest.mark.parametrize("roles", [[], [Role.SUPPORT], [Role.SUPPORT, Role.ADMIN], ["of a former version"]])
    async def test_staff_may_what_their_roles_may(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        email: str,
        request_token: RequestToken,
        roles: list[str],
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(Account).where(Account.email == email).values(roles=roles))
        scope = set((await request_token(client, username=email)).json()["scope"].split())
        assert scope == DELEGABLE_SCOPES.union(*(ROLE_SCOPES.get(role, ()) for role in roles))


class TestAgainstOthers:
    async def test_role_taken_away_during_a_login(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        create_profile: CreateProfile,
        request_token: RequestToken,
    ) -> None:
        database: Database = committed_app.state.database
        profile = await create_profile(database)
        async with database.transaction() as session:
            await session.execute(update(Account).values(roles=[Role.ADMIN]))
        async with database.transaction() as session:
            account = await lock_account(session, profile.id)
            assert account is not None
            login = asyncio.create_task(request_token(committed_client, username=f"{profile.username}@people.example"))
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await asyncio.shield(login)
            account.roles = []
        assert (await login).json()["code"] == "account_changed"

    async def test_ban_during_a_login(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        create_profile: CreateProfile,
        request_token: RequestToken,
    ) -> None:
        """Whoever is banned while the password is checked gets no session."""
        database: Database = committed_app.state.database
        profile = await create_profile(database)
        async with database.transaction() as session:
            account = await lock_account(session, profile.id)
            assert account is not None
            login = asyncio.create_task(request_token(committed_client, username=f"{profile.username}@people.example"))
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await asyncio.shield(login)
            assert not login.done()
            account.banned_at = func.now()
        response = await login
        assert (response.status_code, response.json()["code"]) == (409, "account_changed")

    async def test_many_at_once_on_one_device(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        create_profile: CreateProfile,
        request_token: RequestToken,
    ) -> None:
        profile = await create_profile(committed_app.state.database)
        name = f"{profile.username}@people.example"
        assert (await request_token(committed_client, username=name)).status_code == 200
        responses = await asyncio.gather(*(request_token(committed_client, username=name) for _ in range(10)))
        assert {response.status_code for response in responses} == {200}
