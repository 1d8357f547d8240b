"""`POST /auth/step-up` where the account has a second factor."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI

from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.profiles.models import Profile
from chassis.testing.databases import RolledBackDatabase

PASSWORD = {"password": "Correct-Horse-7-Battery"}

Headers = dict[str, str]
Login = Callable[..., Awaitable[Headers]]


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Login) -> Headers:
    """Of a login from before there was a second factor."""
    return await login(app, profile)


@pytest.fixture
async def authenticator(
    app: FastAPI, profile: Profile, headers: Headers, turn_on_totp: Callable[..., Awaitable[Any]]
) -> Any:
    assert headers
    return await turn_on_totp(app, profile)


def use_token(response: httpx.Response) -> Headers:
    assert response.status_code == 200, response.text
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


def read_claims(response: httpx.Response) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
    return claims


class TestCreateStepUp:
    @pytest.mark.parametrize("kind", ["totp", "recovery_code"])
    async def test_valid(self, client: httpx.AsyncClient, headers: Headers, authenticator: Any, kind: str) -> None:
        """The new token opens what the old one does not."""
        code = authenticator.show_code() if kind == "totp" else authenticator.recovery_codes[0]
        refused = await client.post("/auth/mfa/recovery-codes", headers=headers)
        assert (refused.status_code, 'acr_values="aal2"' in refused.headers["WWW-Authenticate"]) == (401, True)
        response = await client.post("/auth/step-up", json=PASSWORD | {"code": code}, headers=headers)
        stronger = use_token(response)
        claims = read_claims(response)
        assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], "aal2")
        assert (await client.post("/auth/mfa/recovery-codes", headers=stronger)).status_code == 201

    async def test_password_alone_is_not_enough(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: Any
    ) -> None:
        assert authenticator
        response = await client.post("/auth/step-up", json=PASSWORD, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "mfa_required")
        assert response.json()["methods"] == ["totp", "recovery_code"]

    async def test_code_alone_is_not_enough(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: Any
    ) -> None:
        """And a wrong password does not use it up."""
        code = {"code": authenticator.show_code()}
        assert (await client.post("/auth/step-up", json=code, headers=headers)).status_code == 422
        wrong = {"password": "Wrong-Horse-8-Battery"} | code
        response = await client.post("/auth/step-up", json=wrong, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "password_wrong")
        assert (await client.post("/auth/step-up", json=PASSWORD | code, headers=headers)).status_code == 200

    async def test_forbidden(self, client: httpx.AsyncClient, headers: Headers, authenticator: Any) -> None:
        code = authenticator.show_code()
        codes = [
            (await client.post("/auth/step-up", json=PASSWORD | {"code": one}, headers=headers)).json().get("code")
            for one in ("1234567", code, code)
        ]
        assert codes == ["second_factor_wrong", None, "second_factor_wrong"]

    async def test_without_a_factor_a_code_says_nothing(self, client: httpx.AsyncClient, headers: Headers) -> None:
        response = await client.post("/auth/step-up", json=PASSWORD | {"code": "123456"}, headers=headers)
        assert (response.status_code, read_claims(response)["acr"]) == (200, "aal1")

    async def test_wrong_codes_are_limited_right_ones_are_not(
        self, app: FastAPI, client: httpx.AsyncClient, headers: Headers, authenticator: Any
    ) -> None:
        config = LimitsConfig(second_factor="12/minute", step_up="400/minute")  # without Redis a quarter of it
        app.state.rate_limiter = RateLimiter(config, b"", None)
        for code in authenticator.recovery_codes[:5]:
            response = await client.post("/auth/step-up", json=PASSWORD | {"code": code}, headers=headers)
            assert response.status_code == 200
        wrong = PASSWORD | {"code": "1234567"}
        codes = [(await client.post("/auth/step-up", json=wrong, headers=headers)).status_code for _ in range(4)]
        assert codes == [403, 403, 403, 429]
