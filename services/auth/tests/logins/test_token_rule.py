"""Tokens cannot be guessed either."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from auth.limits.constants import LimitRule
from auth.profiles.models import Profile
from chassis.database.engine import Database

CreateProfile = Callable[..., Awaitable[Profile]]
CreateClientAt = Callable[[FastAPI, str], httpx.AsyncClient]
RequestToken = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def email(committed_database: Database, create_profile: CreateProfile) -> str:
    profile = await create_profile(committed_database)
    return f"{profile.username}@people.example"


class TestTokenRule:
    @pytest.fixture
    def rates(self) -> dict[str, str]:
        return {LimitRule.TOKEN.value: "3/minute"}

    async def test_guessed_refresh_tokens(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken, email: str
    ) -> None:
        client = create_client_at(limited_app, "203.0.113.9")
        form = {"grant_type": "refresh_token", "refresh_token": "x" * 43}
        codes = [(await request_token(client, **form)).status_code for _ in range(6)]
        assert codes == [401] * 4 + [429] * 2
        elsewhere = create_client_at(limited_app, "203.0.113.10")
        assert (await request_token(elsewhere, **form)).status_code == 401
        assert (await request_token(client, username=email)).status_code == 200  # a login is another matter

    async def test_good_order_costs_nothing(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken, email: str
    ) -> None:
        client = create_client_at(limited_app, "203.0.113.9")
        token = (await request_token(client, username=email, delivery="body")).json()["refresh_token"]
        for _ in range(10):
            response = await request_token(client, grant_type="refresh_token", refresh_token=token)
            assert response.status_code == 200
            token = response.json()["refresh_token"]
