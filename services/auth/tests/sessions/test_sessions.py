"""`/auth/sessions`: seeing, naming and ending one's own logins."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.accounts.exceptions import AccountChangedError
from auth.accounts.models import Account
from auth.audit.models import AuditEntry
from auth.background import prune_all
from auth.profiles.models import Profile
from auth.sessions import service
from auth.sessions.constants import MAX_SESSIONS, EndReason
from auth.sessions.models import LoginSession, SessionRevocation
from auth.sessions.schemas import SessionRead
from auth.sessions.service import OpenSession
from chassis.database.engine import Database
from chassis.pagination import Page
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

CreateProfile = Callable[..., Awaitable[Profile]]
Open = Callable[..., Awaitable[OpenSession]]
Login = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: CreateProfile) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Login) -> dict[str, str]:
    return await login(app, profile)


async def list_open(database: Database, profile: Profile) -> set[UUID]:
    async with database.transaction() as session:
        query = select(LoginSession.id).filter_by(profile_id=profile.id, revoked_at=None)
        return set(await session.scalars(query))


async def list_records(database: RolledBackDatabase) -> list[tuple[str, UUID | None, dict[str, Any]]]:
    async with database.transaction() as session:
        entries = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(entry.action, entry.subject_id, entry.details) for entry in entries]


async def list_revoked(database: Database) -> set[UUID]:
    async with database.transaction() as session:
        return set(await session.scalars(select(SessionRevocation.session_id)))


class TestListSessions:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/auth/sessions")).status_code == 401

    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        headers: dict[str, str],
        open_session: Open,
        create_profile: CreateProfile,
    ) -> None:
        other = await open_session(app, profile, amr=("pwd", "otp", "mfa"), acr="aal2")
        ended = await open_session(app, profile)
        await open_session(app, await create_profile(database))
        async with database.transaction() as session:
            await service.end_sessions(session, EndReason.LOGOUT, session_ids=[ended.id])
        with record_statements(database) as statements:
            response = await client.get("/auth/sessions", headers=headers)
        assert len(statements) == 1
        page = Page[SessionRead].model_validate_json(response.content)
        newest, current = page.items
        assert (newest.id, newest.is_current, newest.acr, newest.amr) == (
            other.id,
            False,
            "aal2",
            ["pwd", "otp", "mfa"],
        )
        assert (current.is_current, current.client_id, current.name) == (True, "broadsheet", None)
        assert (current.user_agent, current.address) == ("Test/1.0", "203.0.113.0/24")
        assert newest.expires_at - newest.used_at == timedelta(days=14)

    async def test_pages(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, headers: dict[str, str], open_session: Open
    ) -> None:
        for _ in range(2):
            await open_session(app, profile)
        first = (await client.get("/auth/sessions?limit=2", headers=headers)).json()
        rest = await client.get("/auth/sessions", params={"cursor": first["next_cursor"]}, headers=headers)
        assert [len(first["items"]), len(rest.json()["items"])] == [2, 1]
        assert rest.json()["items"][0]["is_current"] is True

    async def test_device_is_that_of_the_last_use(
        self, client: httpx.AsyncClient, profile: Profile, app: FastAPI, open_session: Open, login: Login
    ) -> None:
        opened = await open_session(app, profile)
        form = {"grant_type": "refresh_token", "refresh_token": opened.refresh_token}
        await client.post("/auth/token", data=form, headers={"User-Agent": "Newspaper/2"})
        items = (await client.get("/auth/sessions", headers=await login(app, profile))).json()["items"]
        [seen] = [item for item in items if item["id"] == str(opened.id)]
        assert (seen["user_agent"], seen["address"]) == ("Newspaper/2", "127.0.0.0/24")


class TestUpdateSession:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.patch(f"/auth/sessions/{uuid4()}", json={"name": "x"})).status_code == 401

    @pytest.mark.parametrize("name", ["My phone", "Küche", None])
    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        profile: Profile,
        headers: dict[str, str],
        open_session: Open,
        name: str | None,
    ) -> None:
        opened = await open_session(app, profile)
        path = f"/auth/sessions/{opened.id}"
        assert (await client.patch(path, json={"name": name}, headers=headers)).status_code == 204
        items = (await client.get("/auth/sessions", headers=headers)).json()["items"]
        assert {item["id"]: item["name"] for item in items}[str(opened.id)] == name

    @pytest.mark.parametrize("name", ["", " ", "x" * 101, "two\nlines", 7])
    async def test_malformed(self, client: httpx.AsyncClient, headers: dict[str, str], name: object) -> None:
        response = await client.patch(f"/auth/sessions/{uuid4()}", json={"name": name}, headers=headers)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "body.name")

    async def test_not_found(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: dict[str, str],
        create_profile: CreateProfile,
        open_session: Open,
    ) -> None:
        """Neither somebody else's nor one that is not there."""
        foreign = await open_session(app, await create_profile(database))
        for session_id in (foreign.id, uuid4()):
            for method, body in (("PATCH", {"name": "mine"}), ("DELETE", None)):
                response = await client.request(method, f"/auth/sessions/{session_id}", json=body, headers=headers)
                assert (response.status_code, response.json()["code"]) == (404, "session_not_found")


class TestDeleteSessions:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        for path in ("/auth/sessions", f"/auth/sessions/{uuid4()}"):
            assert (await client.delete(path)).status_code == 401

    async def test_valid_one(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        headers: dict[str, str],
        open_session: Open,
    ) -> None:
        opened = await open_session(app, profile)
        path = f"/auth/sessions/{opened.id}"
        assert (await client.delete(path, headers=headers)).status_code == 204
        assert await list_revoked(database) == {opened.id}
        assert (await client.delete(path, headers=headers)).status_code == 404
        assert await list_records(database) == [("session_ended", profile.id, {"session_id": str(opened.id)})]
        form = {"grant_type": "refresh_token", "refresh_token": opened.refresh_token}
        assert (await client.post("/auth/token", data=form)).json()["code"] == "refresh_token_invalid"

    @pytest.mark.parametrize(("query", "left"), [("", 0), ("?keep_current=true", 1)])
    async def test_valid_all(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        headers: dict[str, str],
        create_profile: CreateProfile,
        open_session: Open,
        query: str,
        left: int,
    ) -> None:
        others = {(await open_session(app, profile)).id for _ in range(3)}
        stranger = await create_profile(database)
        await open_session(app, stranger)
        assert (await client.delete(f"/auth/sessions{query}", headers=headers)).status_code == 204
        open_ids = await list_open(database, profile)
        assert len(open_ids) == left
        assert not others & open_ids
        assert others <= await list_revoked(database)
        assert len(await list_open(database, stranger)) == 1
        assert await list_records(database) == [("sessions_ended", profile.id, {"sessions": str(4 - left)})]


class TestCreateSession:
    @pytest.mark.parametrize(
        "change", [{"banned_at": func.now()}, {"password_hash": "another"}], ids=["banned", "other password"]
    )
    async def test_conflict(
        self,
        app: FastAPI,
        database: RolledBackDatabase,
        profile: Profile,
        open_session: Open,
        change: dict[str, object],
    ) -> None:
        """What was checked is no longer so when the session would begin."""
        async with database.transaction() as session:
            query = select(Account.password_hash).filter_by(profile_id=profile.id)
            checked = (await session.scalars(query)).one()
            await session.execute(update(Account).filter_by(profile_id=profile.id).values(**change))
        with pytest.raises(AccountChangedError):
            await open_session(app, profile, password_hash=checked)
        assert await list_open(database, profile) == set()

    async def test_ban_at_the_same_moment_leaves_none(
        self, committed_app: FastAPI, committed_database: Database, create_profile: CreateProfile, open_session: Open
    ) -> None:
        profile = await create_profile(committed_database)

        async def ban() -> None:
            async with committed_database.transaction() as session:
                await session.execute(update(Account).filter_by(profile_id=profile.id).values(banned_at=func.now()))
                await service.end_sessions(session, EndReason.BANNED, profile_id=profile.id)

        logins = [open_session(committed_app, profile) for _ in range(8)]
        await asyncio.gather(*logins[:4], ban(), *logins[4:], return_exceptions=True)
        assert await list_open(committed_database, profile) == set()

    async def test_too_many(
        self, app: FastAPI, database: RolledBackDatabase, profile: Profile, open_session: Open
    ) -> None:
        """The one that was used longest ago makes room."""
        opened = [(await open_session(app, profile)).id for _ in range(MAX_SESSIONS)]
        async with database.transaction() as session:
            old = update(LoginSession).filter_by(id=opened[7])
            await session.execute(old.values(used_at=LoginSession.used_at - timedelta(days=1)))
        newest = (await open_session(app, profile)).id
        assert await list_open(database, profile) == {*opened, newest} - {opened[7]}
        assert await list_revoked(database) == {opened[7]}

    async def test_too_many_of_an_app(
        self,
        app: FastAPI,
        database: RolledBackDatabase,
        profile: Profile,
        open_session: Open,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """An app of somebody else makes room for its own alone, and logs nobody out."""
        monkeypatch.setattr(service, "MAX_SESSIONS", 3)
        ours = (await open_session(app, profile)).id
        others = [(await open_session(app, profile, client_id="another")).id for _ in range(5)]
        left = await list_open(database, profile)
        assert ours in left
        assert len(left & set(others)) == 3


class TestEndSessions:
    async def test_needs_to_know_whose(self, database: RolledBackDatabase) -> None:
        async with database.transaction() as session:
            with pytest.raises(ValueError, match="whose"):
                await service.end_sessions(session, EndReason.LOGOUT)

    async def test_revocation_outlives_the_session_for_an_hour(
        self, app: FastAPI, database: RolledBackDatabase, profile: Profile, open_session: Open
    ) -> None:
        opened = [await open_session(app, profile) for _ in range(2)]
        async with database.transaction() as session:
            await service.end_sessions(session, EndReason.LOGOUT, profile_id=profile.id)
            old = update(SessionRevocation).filter_by(session_id=opened[0].id)
            await session.execute(old.values(revoked_at=func.now() - timedelta(minutes=61)))
            past = {"revoked_at": func.now() - timedelta(days=2)}
            await session.execute(update(LoginSession).values(**past))
        await prune_all(database)
        assert await list_revoked(database) == {opened[1].id}
        assert await list_open(database, profile) == set()
