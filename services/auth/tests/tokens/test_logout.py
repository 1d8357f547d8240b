"""`POST /auth/logout`."""

from collections.abc import Awaitable, Callable

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from auth.audit.models import AuditEntry
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession
from auth.sessions.service import OpenSession
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

AsCookie = Callable[[str], dict[str, str]]
RequestToken = Callable[..., Awaitable[httpx.Response]]


async def count_open(database: RolledBackDatabase) -> int:
    async with database.transaction() as session:
        return len((await session.scalars(select(LoginSession.id).where(LoginSession.revoked_at.is_(None)))).all())


class TestLogout:
    @pytest.fixture
    async def opened(
        self, app: FastAPI, profile: Profile, open_session: Callable[[FastAPI, Profile], Awaitable[OpenSession]]
    ) -> OpenSession:
        await open_session(app, profile)  # on another device, where it stays open
        return await open_session(app, profile)

    async def test_valid_by_cookie(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, opened: OpenSession, as_cookie: AsCookie
    ) -> None:
        response = await client.post("/auth/logout", headers=as_cookie(opened.refresh_token))
        assert (response.status_code, response.content) == (204, b"")
        cookie = response.headers["set-cookie"]
        assert cookie.startswith('__Host-refresh_token=""; ')
        for attribute in ("Max-Age=0", "Path=/", "Secure", "HttpOnly", "SameSite=strict"):
            assert attribute in cookie
        assert await count_open(database) == 1
        form = {"grant_type": "refresh_token", "refresh_token": opened.refresh_token}
        assert (await client.post("/auth/token", data=form)).status_code == 401
        await client.post("/auth/logout", headers=as_cookie(opened.refresh_token))
        async with database.transaction() as session:
            [entry] = await session.scalars(select(AuditEntry))
        assert (entry.action, entry.subject_id) == ("session_ended", opened.claims.profile_id)
        assert entry.details == {"session_id": str(opened.id)}

    @pytest.mark.usefixtures("opened")
    async def test_valid_by_bearer(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        login: Callable[[FastAPI, Profile], Awaitable[dict[str, str]]],
    ) -> None:
        headers = await login(app, profile)
        assert await count_open(database) == 3  # with the two of `opened`
        assert (await client.post("/auth/logout", headers=headers)).status_code == 204
        assert await count_open(database) == 2

    async def test_each_of_two_sessions_ends(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        login: Callable[[FastAPI, Profile], Awaitable[dict[str, str]]],
        opened: OpenSession,
        as_cookie: AsCookie,
    ) -> None:
        """Both are found by their ids: a condition over all sessions would read every one that there is."""
        headers = await login(app, profile) | as_cookie(opened.refresh_token)
        with record_statements(database) as statements:
            assert (await client.post("/auth/logout", headers=headers)).status_code == 204
        assert await count_open(database) == 1
        [ending] = [statement for statement in statements if statement.startswith("UPDATE session ")]
        assert "SELECT" not in ending

    @pytest.mark.usefixtures("opened")
    async def test_unknown_cookie(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, as_cookie: AsCookie
    ) -> None:
        assert (await client.post("/auth/logout", headers=as_cookie("A" * 43))).status_code == 204
        assert await count_open(database) == 2

    async def test_again_changes_nothing(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, opened: OpenSession, as_cookie: AsCookie
    ) -> None:
        for _ in range(2):
            response = await client.post("/auth/logout", headers=as_cookie(opened.refresh_token))
            assert response.status_code == 204
        assert await count_open(database) == 1

    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/auth/logout")).status_code == 204

    async def test_expired_access_token_does_not_hinder_the_cookie(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, opened: OpenSession, as_cookie: AsCookie
    ) -> None:
        stale = {"Authorization": "Bearer not.a.token"}
        assert (await client.post("/auth/logout", headers=stale)).status_code == 401
        assert await count_open(database) == 2
        response = await client.post("/auth/logout", headers=stale | as_cookie(opened.refresh_token))
        assert response.status_code == 204
        assert await count_open(database) == 1

    async def test_used_token_of_the_family_will_do(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, opened: OpenSession, as_cookie: AsCookie
    ) -> None:
        await client.post("/auth/token", data={"grant_type": "refresh_token"}, headers=as_cookie(opened.refresh_token))
        client.cookies.clear()
        await client.post("/auth/logout", headers=as_cookie(opened.refresh_token))
        assert await count_open(database) == 1

    async def test_session_id_of_the_token_is_that_of_the_cookie(
        self, client: httpx.AsyncClient, opened: OpenSession, as_cookie: AsCookie
    ) -> None:
        form = {"grant_type": "refresh_token"}
        response = await client.post("/auth/token", data=form, headers=as_cookie(opened.refresh_token))
        claims = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
        assert claims["sid"] == str(opened.id)
