"""`POST /auth/token` with the refresh token of an app of somebody else."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.profiles.models import Profile
from auth.sessions.models import LoginSession, RefreshToken
from auth.sessions.service import OpenSession
from chassis.testing.databases import RolledBackDatabase

TOKEN = "/auth/token"


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def other(database: RolledBackDatabase, register_app: Callable[..., Awaitable[Any]]) -> Any:
    return await register_app(database)


@pytest.fixture
async def opened(app: FastAPI, profile: Profile, other: Any, open_session: Any) -> OpenSession:
    opened: OpenSession = await open_session(app, profile, client_id=other.client_id, scope="profile:read")
    return opened


def refresh(token: str, credentials: dict[str, str], **fields: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token, **credentials, **fields}


class TestRefresh:
    async def test_valid(self, client: httpx.AsyncClient, other: Any, opened: OpenSession) -> None:
        """Each works once, as ours do, and brings no more than was allowed."""
        form = refresh(opened.refresh_token, other.credentials)
        answer = await client.post(TOKEN, data=form)
        assert answer.status_code == 200, answer.text
        assert answer.json()["scope"] == "profile:read"
        assert answer.json()["refresh_token"] != opened.refresh_token
        assert "set-cookie" not in answer.headers

    async def test_narrower_scope(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, other: Any, open_session: Any
    ) -> None:
        """Of this access token alone: the next one may have all again."""
        opened = await open_session(app, profile, client_id=other.client_id, scope="posts:write profile:read")
        answer = await client.post(TOKEN, data=refresh(opened.refresh_token, other.credentials, scope="profile:read"))
        assert answer.json()["scope"] == "profile:read"
        again = await client.post(TOKEN, data=refresh(answer.json()["refresh_token"], other.credentials))
        assert again.json()["scope"] == "posts:write profile:read"

    async def test_wider_scope(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, opened: OpenSession
    ) -> None:
        form = refresh(opened.refresh_token, other.credentials, scope="profile:read posts:write")
        answer = await client.post(TOKEN, data=form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
        async with database.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(RefreshToken))).one() == 1  # none was spent

    async def test_of_another_app(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, opened: OpenSession, register_app: Any
    ) -> None:
        thief = await register_app(database, name="Thief")
        answer = await client.post(TOKEN, data=refresh(opened.refresh_token, thief.credentials))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    @pytest.mark.parametrize("changes", [{"client_secret": "wrong"}, {"client_secret": ""}])
    async def test_client_refused(
        self, client: httpx.AsyncClient, other: Any, opened: OpenSession, changes: dict[str, str]
    ) -> None:
        answer = await client.post(TOKEN, data=refresh(opened.refresh_token, other.credentials | changes))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize("credentials", [{}, {"client_id": "broadsheet"}])
    async def test_not_as_one_of_ours(
        self, client: httpx.AsyncClient, opened: OpenSession, credentials: dict[str, str]
    ) -> None:
        """Who takes a confidential app's token cannot pass by its secret."""
        answer = await client.post(TOKEN, data=refresh(opened.refresh_token, credentials))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_grant")

    async def test_ours_not_by_an_app(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, other: Any, open_session: Any
    ) -> None:
        ours = await open_session(app, profile)
        answer = await client.post(TOKEN, data=refresh(ours.refresh_token, other.credentials))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        assert (await client.post(TOKEN, data=refresh(ours.refresh_token, {}))).status_code == 200

    async def test_without_a_token(self, client: httpx.AsyncClient, other: Any, opened: OpenSession) -> None:
        """Nor by the cookie, which is ours alone."""
        cookie = {"Cookie": f"__Host-refresh_token={opened.refresh_token}", "Sec-Fetch-Site": "same-origin"}
        form = {"grant_type": "refresh_token", **other.credentials}
        answer = await client.post(TOKEN, data=form, headers=cookie)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    async def test_reused(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, opened: OpenSession
    ) -> None:
        form = refresh(opened.refresh_token, other.credentials)
        await client.post(TOKEN, data=form)
        async with database.transaction() as session:
            await session.execute(update(RefreshToken).values(used_at=RefreshToken.used_at - timedelta(seconds=11)))
        answer = await client.post(TOKEN, data=form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        async with database.transaction() as session:
            open_ones = select(func.count()).select_from(LoginSession).filter_by(revoked_at=None)
            assert (await session.scalars(open_ones)).one() == 0

    async def test_client_credentials_are_for_services(self, client: httpx.AsyncClient, other: Any) -> None:
        form = {"grant_type": "client_credentials", **other.credentials}
        answer = await client.post(TOKEN, data=form)
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
        answer = await client.post(TOKEN, data={**form, "client_secret": "wrong"})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
