"""`POST /auth/step-up` with a passkey."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI

from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.profiles.models import Profile
from chassis.testing.authenticator import SoftAuthenticator
from chassis.testing.databases import RolledBackDatabase

Json = dict[str, Any]
Headers = dict[str, str]
Begin = Callable[..., Awaitable[Json]]
Answer = Callable[..., Awaitable[httpx.Response]]

PATH = "/auth/step-up"


@pytest.fixture
async def authenticator(
    client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, add_passkey: Answer
) -> SoftAuthenticator:
    """With one that is registered."""
    assert (await add_passkey(client, headers, authenticator)).status_code == 201
    return authenticator


class TestCreateStepUp:
    async def test_anonymous(self, client: httpx.AsyncClient, authenticator: SoftAuthenticator, begin: Begin) -> None:
        body = {"passkey": authenticator.get(await begin(client))}
        assert (await client.post(PATH, json=body)).status_code == 401

    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        profile: Profile,
        authenticator: SoftAuthenticator,
        begin: Begin,
        login_of_old: Callable[..., Awaitable[Headers]],
    ) -> None:
        """What wants a recent login opens, and what wants two factors would."""
        old = await login_of_old(app, profile)
        assert (await client.post("/auth/passkeys/registration/options", headers=old)).status_code == 401
        body = {"passkey": authenticator.get(await begin(client))}
        response = await client.post(PATH, json=body, headers=old)
        assert response.status_code == 200
        token = response.json()["access_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["sub"], claims["amr"], claims["acr"]) == (str(profile.id), ["pop", "user", "mfa"], "aal2")
        fresh = {"Authorization": f"Bearer {token}"}
        assert (await client.post("/auth/passkeys/registration/options", headers=fresh)).status_code == 200

    async def test_of_somebody_else(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        authenticator: SoftAuthenticator,
        begin: Begin,
        create_profile: Callable[..., Awaitable[Profile]],
        login: Callable[..., Awaitable[Headers]],
    ) -> None:
        other = await login(app, await create_profile(database))
        body = {"passkey": authenticator.get(await begin(client))}
        response = await client.post(PATH, json=body, headers=other)
        assert (response.status_code, response.json()["code"]) == (403, "passkey_wrong")

    async def test_replayed(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, begin: Begin, show: Answer
    ) -> None:
        """What logged somebody in proves nothing once more."""
        assertion = authenticator.get(await begin(client))
        assert (await show(client, assertion)).status_code == 200
        response = await client.post(PATH, json={"passkey": assertion}, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "passkey_wrong")

    async def test_without_user_verification(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, begin: Begin
    ) -> None:
        authenticator.verifies_user = False
        body = {"passkey": authenticator.get(await begin(client))}
        assert (await client.post(PATH, json=body, headers=headers)).status_code == 403

    async def test_only_what_fails_counts(
        self, app: FastAPI, client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, begin: Begin
    ) -> None:
        app.state.rate_limiter = RateLimiter(
            LimitsConfig(second_factor="12/minute", passkey="1000/minute", token="1000/minute"), b"", None
        )
        bodies = [{"passkey": authenticator.get(await begin(client))} for _ in range(4)]
        for body in bodies:
            assert (await client.post(PATH, json=body, headers=headers)).status_code == 200
        body = bodies[0]
        statuses = [(await client.post(PATH, json=body, headers=headers)).status_code for _ in range(4)]
        assert statuses == [403, 403, 403, 429]

    async def test_both_at_once(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, begin: Begin
    ) -> None:
        body = {"passkey": authenticator.get(await begin(client)), "password": "Correct-Horse-7-Battery"}
        assert (await client.post(PATH, json=body, headers=headers)).status_code == 422
