"""`POST /auth/step-up`."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.profiles.models import Profile
from auth.sessions.constants import EndReason
from auth.sessions.models import LoginSession
from auth.sessions.service import end_sessions
from chassis.testing.databases import RolledBackDatabase

Headers = dict[str, str]
Login = Callable[..., Awaitable[Headers]]

PASSWORD = {"password": "Correct-Horse-7-Battery"}
WRONG = {"password": "Wrong-Horse-8-Battery"}


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def old_headers(app: FastAPI, database: RolledBackDatabase, login: Login, profile: Profile) -> Headers:
    """Of a login an hour ago."""
    headers = await login(app, profile)
    async with database.transaction() as session:
        past = func.now() - timedelta(hours=1)
        await session.execute(update(LoginSession).values(authenticated_at=past))
    return headers


def read_claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


class TestCreateStepUp:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/auth/step-up", json=PASSWORD)).status_code == 401

    async def test_valid(self, client: httpx.AsyncClient, database: RolledBackDatabase, old_headers: Headers) -> None:
        async with database.transaction() as session:
            before = (await session.scalars(select(LoginSession.authenticated_at))).one()
        response = await client.post("/auth/step-up", json=PASSWORD, headers=old_headers)
        assert response.status_code == 200
        assert set(response.json()) == {"access_token", "token_type", "expires_in", "scope"}
        claims = read_claims(response.json()["access_token"])
        former = read_claims(old_headers["Authorization"].removeprefix("Bearer "))
        assert claims["auth_time"] - int(before.timestamp()) >= 3600
        same = ("sub", "sid", "scope", "client_id", "amr", "acr")
        assert {name: claims[name] for name in same} == {name: former[name] for name in same}

    async def test_refreshed_tokens_say_so_too(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        request_token: Callable[..., Awaitable[httpx.Response]],
    ) -> None:
        name = f"{profile.username}@people.example"
        tokens = (await request_token(client, username=name, delivery="body")).json()
        async with database.transaction() as session:
            await session.execute(update(LoginSession).values(authenticated_at=func.now() - timedelta(hours=1)))
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        stepped = (await client.post("/auth/step-up", json=PASSWORD, headers=headers)).json()["access_token"]
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        refreshed = (await client.post("/auth/token", data=form)).json()["access_token"]
        assert read_claims(refreshed)["auth_time"] == read_claims(stepped)["auth_time"]

    async def test_password_alone_is_one_factor(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login
    ) -> None:
        headers = await login(app, profile, amr=("pwd", "otp", "mfa"), acr="aal2")
        response = await client.post("/auth/step-up", json=PASSWORD, headers=headers)
        claims = read_claims(response.json()["access_token"])
        assert (claims["amr"], claims["acr"]) == (["pwd"], "aal1")

    async def test_forbidden(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, old_headers: Headers
    ) -> None:
        async with database.transaction() as session:
            before = (await session.scalars(select(LoginSession.authenticated_at))).one()
        response = await client.post("/auth/step-up", json=WRONG, headers=old_headers)
        assert (response.status_code, response.json()["code"]) == (403, "password_wrong")
        async with database.transaction() as session:
            assert (await session.scalars(select(LoginSession.authenticated_at))).one() == before

    async def test_session_that_has_ended(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, old_headers: Headers
    ) -> None:
        """Its access token may still be taken somewhere; it is not renewed."""
        async with database.transaction() as session:
            await end_sessions(session, EndReason.LOGOUT, profile_id=profile.id)
        response = await client.post("/auth/step-up", json=PASSWORD, headers=old_headers)
        assert (response.status_code, response.json()["code"]) == (401, "session_ended")

    async def test_app_of_somebody_else(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login
    ) -> None:
        headers = await login(app, profile, client_id="reader-app", scope="posts:read")
        response = await client.post("/auth/step-up", json=PASSWORD, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")

    async def test_only_wrong_passwords_count(
        self, app: FastAPI, client: httpx.AsyncClient, old_headers: Headers
    ) -> None:
        config = LimitsConfig(step_up="12/minute")  # of which a process without Redis allows a quarter
        app.state.rate_limiter = RateLimiter(config, b"", None)
        for _ in range(6):
            assert (await client.post("/auth/step-up", json=PASSWORD, headers=old_headers)).status_code == 200
        codes = [(await client.post("/auth/step-up", json=WRONG, headers=old_headers)).status_code for _ in range(4)]
        assert codes == [403, 403, 403, 429]
        refused = await client.post("/auth/step-up", json=PASSWORD, headers=old_headers)
        assert int(refused.headers["Retry-After"]) > 0

    async def test_busy_hashing(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        old_headers: Headers,
        keep_hashing_busy: Callable[[FastAPI], AbstractContextManager[None]],
    ) -> None:
        with keep_hashing_busy(app):
            response = await client.post("/auth/step-up", json=PASSWORD, headers=old_headers)
        assert (response.status_code, response.json()["code"]) == (503, "hashing_busy")

    @pytest.mark.parametrize(
        "body", [{}, {"password": "x" * 129}, {"password": ["x"]}, {**PASSWORD, "acr": "aal2"}, {"passkey": {}}]
    )
    async def test_malformed(self, client: httpx.AsyncClient, old_headers: Headers, body: dict[str, Any]) -> None:
        response = await client.post("/auth/step-up", json=body, headers=old_headers)
        assert response.status_code == 422
        assert "Horse" not in response.text
