"""Codes cannot be guessed, and who guesses is in nobody else's way."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase

WRONG = "1234567"  # which is never right

Begin = Callable[..., Awaitable[dict[str, str]]]
RequestToken = Callable[..., Awaitable[httpx.Response]]
Names = Callable[[Database], Awaitable[list[str]]]


@pytest.fixture
def limit(app: FastAPI) -> Callable[..., None]:
    """Sets rates, of which a process without Redis allows a quarter."""

    def set_rates(**rates: str) -> None:
        config = LimitsConfig.model_validate(LimitsConfig().model_dump() | rates)
        app.state.rate_limiter = RateLimiter(config, b"", None)

    return set_rates


async def guess(finish: RequestToken, client: httpx.AsyncClient, begun: dict[str, str], times: int) -> list[int]:
    return [(await finish(client, begun, WRONG)).status_code for _ in range(times)]


class TestAccount:
    async def test_wrong_codes_are_limited(
        self, client: httpx.AsyncClient, email: str, authenticator: Any, begin: Begin, finish: RequestToken,
        limit: Callable[..., None],
    ) -> None:  # fmt: skip
        """However often the password is brought again, and from however many devices."""
        limit(second_factor="12/15 minutes")
        statuses = []
        for _ in range(4):
            statuses += await guess(finish, client, await begin(client, email), 1)
        assert statuses == [403, 403, 403, 429]
        refused = await finish(client, await begin(client, email), authenticator.show_code())
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert 0 < int(refused.headers["Retry-After"]) <= 900
        assert "second-factor" in refused.headers["RateLimit-Policy"]

    async def test_right_codes_cost_nothing(
        self, client: httpx.AsyncClient, email: str, authenticator: Any, begin: Begin, finish: RequestToken,
        limit: Callable[..., None],
    ) -> None:  # fmt: skip
        limit(second_factor="12/minute", token="12/minute")
        for code in authenticator.recovery_codes:
            assert (await finish(client, await begin(client, email), code)).status_code == 200

    async def test_thief_of_the_password_does_not_lock_the_owner_out(
        self, client: httpx.AsyncClient, email: str, authenticator: Any, begin: Begin, finish: RequestToken,
        limit: Callable[..., None],
    ) -> None:  # fmt: skip
        home = (await finish(client, await begin(client, email), authenticator.show_code())).json()["device_token"]
        limit(second_factor="12/15 minutes")
        assert await guess(finish, client, await begin(client, email), 4) == [403, 403, 403, 429]
        begun = await begin(client, email, device_token=home)
        assert (await finish(client, begun, authenticator.show_code(1))).status_code == 200

    async def test_owner_hears_of_it(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any, begin: Begin,
        finish: RequestToken, limit: Callable[..., None], list_notices: Names,
    ) -> None:  # fmt: skip
        """Somebody knows their password: once, when no more tries are left."""
        assert authenticator
        limit(second_factor="12/15 minutes")
        begun = await begin(client, email)
        await guess(finish, client, begun, 2)
        assert "second_factor_failed" not in await list_notices(database)
        await guess(finish, client, begun, 3)
        assert (await list_notices(database)).count("second_factor_failed") == 1


class TestAddress:
    async def test_guesses_at_many_accounts(
        self, app: FastAPI, client: httpx.AsyncClient, database: RolledBackDatabase, begin: Begin,
        finish: RequestToken, limit: Callable[..., None], create_profile: Callable[..., Awaitable[Profile]],
        turn_on_totp: Callable[..., Awaitable[Any]],
    ) -> None:  # fmt: skip
        limit(token="12/15 minutes")
        statuses = []
        for _ in range(4):
            profile = await create_profile(database)
            await turn_on_totp(app, profile)
            begun = await begin(client, f"{profile.username}@people.example")
            statuses += await guess(finish, client, begun, 1)
        assert statuses == [403, 403, 403, 429]

    async def test_guessed_mfa_tokens(
        self, client: httpx.AsyncClient, finish: RequestToken, limit: Callable[..., None]
    ) -> None:
        limit(token="12/15 minutes")
        begun = {"mfa_token": "A" * 43, "delivery": "body"}
        assert await guess(finish, client, begun, 6) == [401] * 4 + [429] * 2


class TestLoggedIn:
    async def test_first_codes_of_an_app(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile,
        login: Callable[..., Awaitable[dict[str, str]]], limit: Callable[..., None],
    ) -> None:  # fmt: skip
        limit(second_factor="12/15 minutes")
        headers = await login(app, profile)
        await client.post("/auth/mfa/totp", headers=headers)
        codes = [
            (await client.put("/auth/mfa/totp", json={"code": WRONG}, headers=headers)).status_code for _ in range(4)
        ]
        assert codes == [403, 403, 403, 429]
