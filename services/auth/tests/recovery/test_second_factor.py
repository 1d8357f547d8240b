"""New credentials for who has a second factor: it stays, and it is asked for."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from auth.profiles.models import Profile

PASSWORD = "Correct-Horse-7-Battery"
NEW = "Staple-Zebra-9-Lantern"
STRONG: dict[str, Any] = {"amr": ("pwd", "otp", "mfa"), "acr": "aal2"}

Login = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
async def authenticator(app: FastAPI, profile: Profile, turn_on_totp: Callable[..., Awaitable[Any]]) -> Any:
    return await turn_on_totp(app, profile)


class TestReset:
    async def test_leaves_the_second_factor(
        self, app: FastAPI, client: httpx.AsyncClient, email: str, authenticator: Any,
        read_tokens: Callable[[FastAPI], Awaitable[dict[str, str]]],
        request_token: Callable[..., Awaitable[httpx.Response]],
    ) -> None:  # fmt: skip
        """The mailbox is no way past it; nor is the device that the password was set on."""
        assert authenticator
        await client.post("/auth/password-resets", json={"email": email})
        body = {"token": (await read_tokens(app))["password_reset"], "password": NEW}
        reset = await client.put("/auth/password-resets", json=body)
        assert reset.status_code == 204
        device = {"Cookie": reset.headers["Set-Cookie"].partition(";")[0], "Sec-Fetch-Site": "same-origin"}
        answer = await request_token(client, username=email, password=NEW, headers=device)
        assert (answer.status_code, answer.json()["code"]) == (403, "mfa_required")
        assert answer.json()["methods"] == ["totp", "recovery_code"]

    async def test_ends_logins_that_wait_for_a_code(
        self, app: FastAPI, client: httpx.AsyncClient, email: str, authenticator: Any,
        read_tokens: Callable[[FastAPI], Awaitable[dict[str, str]]],
        request_token: Callable[..., Awaitable[httpx.Response]],
    ) -> None:  # fmt: skip
        asked = (await request_token(client, username=email, delivery="body")).json()
        await client.post("/auth/password-resets", json={"email": email})
        body = {"token": (await read_tokens(app))["password_reset"], "password": NEW}
        await client.put("/auth/password-resets", json=body)
        form = {name: asked[name] for name in ("mfa_token", "device_token")} | {"delivery": "body"}
        grant = "urn:broadsheet:params:oauth:grant-type:mfa"
        answer = await request_token(client, grant_type=grant, code=authenticator.show_code(), **form)
        assert (answer.status_code, answer.json()["code"]) == (401, "mfa_token_invalid")


class TestChange:
    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("PUT", "/auth/password", {"current_password": PASSWORD, "password": NEW}, 204),
            ("POST", "/auth/email-changes", {"email": "new@people.example"}, 202),
        ],
    )
    async def test_wants_a_login_by_both_factors(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login,
        turn_on_totp: Callable[..., Awaitable[Any]], method: str, path: str, body: dict[str, str], status: int,
    ) -> None:  # fmt: skip
        weak = await login(app, profile)
        await turn_on_totp(app, profile)
        refused = await client.request(method, path, json=body, headers=weak)
        assert (refused.status_code, refused.json()["code"]) == (401, "login_too_old")
        assert 'acr_values="aal2"' in refused.headers["WWW-Authenticate"]
        strong = await login(app, profile, **STRONG)
        assert (await client.request(method, path, json=body, headers=strong)).status_code == status
