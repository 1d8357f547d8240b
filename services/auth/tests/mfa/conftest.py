from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.audit.models import AuditEntry
from auth.mfa.models import RecoveryCode
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

MFA_GRANT = "urn:broadsheet:params:oauth:grant-type:mfa"

RequestToken = Callable[..., Awaitable[httpx.Response]]
Begin = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
def email(profile: Profile) -> str:
    return f"{profile.username}@people.example"


@pytest.fixture
async def authenticator(app: FastAPI, profile: Profile, turn_on_totp: Callable[..., Awaitable[Any]]) -> Any:
    return await turn_on_totp(app, profile)


@pytest.fixture
def begin(request_token: RequestToken) -> Begin:
    """The first step of a login, in an app that is no browser; what the second one needs of it."""

    async def log_in(client: httpx.AsyncClient, email: str, **form: str) -> dict[str, str]:
        answer = await request_token(client, username=email, delivery="body", **form)
        assert (answer.status_code, answer.json()["code"]) == (403, "mfa_required"), answer.text
        problem = answer.json()
        return {"mfa_token": problem["mfa_token"], "device_token": problem["device_token"], "delivery": "body"}

    return log_in


@pytest.fixture
def finish(request_token: RequestToken) -> RequestToken:
    """The second step."""

    async def send(client: httpx.AsyncClient, begun: dict[str, str], code: str) -> httpx.Response:
        return await request_token(client, grant_type=MFA_GRANT, code=code, **begun)

    return send


@pytest.fixture
def list_notices() -> Callable[[Database], Awaitable[list[str]]]:
    async def list_kinds(database: Database) -> list[str]:
        query = select(OutboxEvent.payload["kind"].astext).filter_by(type="security.noticed").order_by(OutboxEvent.id)
        async with database.transaction() as session:
            return [str(kind) for kind in await session.scalars(query)]

    return list_kinds


@pytest.fixture
def list_actions() -> Callable[[Database], Awaitable[list[str]]]:
    async def list_them(database: Database) -> list[str]:
        async with database.transaction() as session:
            return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))

    return list_them


@pytest.fixture
def count_codes() -> Callable[[Database], Awaitable[int]]:
    """Recovery codes that are left."""

    async def count(database: Database) -> int:
        async with database.transaction() as session:
            return (await session.scalars(select(func.count()).select_from(RecoveryCode))).one()

    return count
