"""Somebody with an authenticator, who does all they do over HTTP."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.audit.models import AuditEntry
from auth.keys.utils import TokenIssuer
from auth.mfa.constants import RECENT
from auth.passkeys.models import PasskeyChallenge
from auth.profiles.models import Profile
from auth.sessions.service import OpenSession
from chassis.config import load_config
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.security.config import TokenConfig
from chassis.testing.authenticator import SoftAuthenticator
from chassis.testing.databases import RolledBackDatabase

Json = dict[str, Any]
Headers = dict[str, str]

GRANT = "urn:broadsheet:params:oauth:grant-type:passkey"


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Callable[..., Awaitable[Headers]]) -> Headers:
    """Of a login by two factors: where there is one, a password alone changes none."""
    return await login(app, profile, amr=("pwd", "otp", "mfa"), acr="aal2")


@pytest.fixture
def login_of_old(open_session: Callable[..., Awaitable[OpenSession]]) -> Callable[..., Awaitable[Headers]]:
    """The headers of somebody who logged in too long ago for what wants a recent login."""

    async def create_headers(app: FastAPI, profile: Profile) -> Headers:
        claims = (await open_session(app, profile, acr="aal2")).claims
        issuer = TokenIssuer(await app.state.key_ring.get_signing_key(), load_config(TokenConfig))
        old = replace(claims, authenticated_at=claims.authenticated_at - RECENT - timedelta(minutes=1))
        return {"Authorization": f"Bearer {issuer.issue_user_token(old)}"}

    return create_headers


@pytest.fixture
def authenticator() -> SoftAuthenticator:
    return SoftAuthenticator("https://broadsheet.example")


@pytest.fixture
def begin() -> Callable[..., Awaitable[Json]]:
    """Options: to add a passkey with somebody's headers, and without any to log in."""

    async def request(client: httpx.AsyncClient, headers: Headers | None = None) -> Json:
        kind = "authentication" if headers is None else "registration"
        answer = await client.post(f"/auth/passkeys/{kind}/options", headers=headers)
        assert answer.status_code == 200, answer.text
        options: Json = answer.json()
        return options

    return request


@pytest.fixture
def add_passkey(begin: Callable[..., Awaitable[Json]]) -> Callable[..., Awaitable[httpx.Response]]:
    """A new one of the authenticator."""

    async def add(
        client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, **fields: Any
    ) -> httpx.Response:
        credential = authenticator.create(await begin(client, headers))
        return await client.post("/auth/passkeys", json={"credential": credential, **fields}, headers=headers)

    return add


@pytest.fixture
def show() -> Callable[..., Awaitable[httpx.Response]]:
    """`POST /auth/token` with an assertion."""

    async def post(
        client: httpx.AsyncClient, assertion: Json, headers: Headers | None = None, **form: str
    ) -> httpx.Response:
        form = {"grant_type": GRANT, "assertion": json.dumps(assertion), "delivery": "body"} | form
        return await client.post("/auth/token", data=form, headers=headers)

    return post


@pytest.fixture
def log_in(
    begin: Callable[..., Awaitable[Json]], show: Callable[..., Awaitable[httpx.Response]]
) -> Callable[..., Awaitable[httpx.Response]]:
    """From the options to the tokens."""

    async def do_it(client: httpx.AsyncClient, authenticator: SoftAuthenticator, **form: str) -> httpx.Response:
        return await show(client, authenticator.get(await begin(client)), **form)

    return do_it


@pytest.fixture
def list_notices() -> Callable[[Database], Awaitable[list[str]]]:
    async def list_kinds(database: Database) -> list[str]:
        query = select(OutboxEvent.payload["kind"].astext).filter_by(type="security.noticed").order_by(OutboxEvent.id)
        async with database.transaction() as session:
            return [str(kind) for kind in await session.scalars(query)]

    return list_kinds


@pytest.fixture
def list_entries() -> Callable[[Database], Awaitable[list[tuple[str, bool]]]]:
    """What the audit log says, and whether it names somebody."""

    async def list_them(database: Database) -> list[tuple[str, bool]]:
        async with database.transaction() as session:
            entries = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [(entry.action, entry.subject_id is not None) for entry in entries]

    return list_them


@pytest.fixture
def let_challenges_expire() -> Callable[[Database], Awaitable[None]]:
    async def move(database: Database) -> None:
        async with database.transaction() as session:
            await session.execute(update(PasskeyChallenge).values(expires_at=func.now() - timedelta(seconds=1)))

    return move
