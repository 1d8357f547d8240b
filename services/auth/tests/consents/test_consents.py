"""`/auth/consents`: what one has let the apps of others do, and taking it back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.audit.models import AuditEntry
from auth.codes.models import AppCode
from auth.consents.models import Consent
from auth.consents.schemas import ConsentRead
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession
from chassis.database.engine import Database
from chassis.pagination import Page
from chassis.testing.databases import RolledBackDatabase

PATH = "/auth/consents"
Headers = dict[str, str]


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Callable[..., Awaitable[Headers]]) -> Headers:
    return await login(app, profile)


@pytest.fixture
async def other(database: RolledBackDatabase, register_app: Callable[..., Awaitable[Any]]) -> Any:
    return await register_app(database)


@pytest.fixture
async def code(
    app: FastAPI, client: httpx.AsyncClient, profile: Profile, other: Any, log_in_browser: Any, allow: Any
) -> str:
    code: str = await allow(client, other, await log_in_browser(app, profile))
    return code


async def count_open(database: Database, client_id: str) -> int:
    async with database.transaction() as session:
        query = select(func.count()).select_from(LoginSession).filter_by(client_id=client_id, revoked_at=None)
        return (await session.scalars(query)).one()


class TestList:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get(PATH)).status_code == 401

    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        other: Any,
        code: str,
        create_profile: Any,
        login: Any,
    ) -> None:
        assert code
        page = Page[ConsentRead].model_validate_json((await client.get(PATH, headers=headers)).content)
        [consent] = page.items
        assert (str(consent.client_id), consent.name) == (other.client_id, "Reader")
        assert (consent.website, consent.scopes) == ("https://reader.example", ["profile:read"])
        stranger = await login(app, await create_profile(database))
        assert (await client.get(PATH, headers=stranger)).json()["items"] == []


class TestWithdraw:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.delete(f"{PATH}/{uuid4()}")).status_code == 401

    async def test_not_found(self, client: httpx.AsyncClient, headers: Headers) -> None:
        answer = await client.delete(f"{PATH}/{uuid4()}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "consent_not_found")

    async def test_of_somebody_else(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        other: Any,
        code: str,
        create_profile: Any,
        login: Any,
    ) -> None:
        stranger = await login(app, await create_profile(database))
        assert (await client.delete(f"{PATH}/{other.client_id}", headers=stranger)).status_code == 404
        assert (await client.post("/auth/token", data=other.redeem(code))).status_code == 200

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, other: Any, code: str
    ) -> None:
        """Its tokens end, ours do not, and it is asked for again."""
        tokens = (await client.post("/auth/token", data=other.redeem(code))).json()
        assert (await client.delete(f"{PATH}/{other.client_id}", headers=headers)).status_code == 204
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **other.credentials}
        assert (await client.post("/auth/token", data=form)).json()["error"] == "invalid_grant"
        assert await count_open(database, other.client_id) == 0
        assert await count_open(database, "broadsheet") == 2
        assert (await client.get(PATH, headers=headers)).json()["items"] == []
        async with database.transaction() as session:
            [entry] = await session.scalars(select(AuditEntry).filter_by(action="consent_withdrawn"))
        assert entry.details == {"client_id": other.client_id}

    async def test_code_that_is_not_redeemed_is_worth_nothing(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, other: Any, code: str
    ) -> None:
        await client.delete(f"{PATH}/{other.client_id}", headers=headers)
        async with database.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(AppCode))).one() == 0
        assert (await client.post("/auth/token", data=other.redeem(code))).json()["error"] == "invalid_grant"

    async def test_while_codes_are_given_and_redeemed(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: Any,
        register_app: Any,
        log_in_browser: Any,
        login: Any,
        allow: Any,
    ) -> None:
        """Whatever comes first: without a consent no token is left, and no code."""
        client, profile = committed_client, await create_profile(committed_database)
        other = await register_app(committed_database)
        browser, headers = await log_in_browser(committed_app, profile), await login(committed_app, profile)
        codes = [await allow(client, other, browser) for _ in range(8)]
        ask = client.get("/auth/authorize", params=other.ask(), headers=browser)
        withdraw = client.delete(f"{PATH}/{other.client_id}", headers=headers)
        redeem = [client.post("/auth/token", data=other.redeem(code)) for code in codes]
        _, withdrawn, *answers = await asyncio.gather(ask, withdraw, *redeem)
        assert withdrawn.status_code == 204
        assert {answer.status_code for answer in answers} <= {200, 400}
        async with committed_database.transaction() as session:
            left = [
                (await session.scalars(select(func.count()).select_from(model))).one() for model in (Consent, AppCode)
            ]
        assert left == [0, 0]
        assert await count_open(committed_database, other.client_id) == 0
