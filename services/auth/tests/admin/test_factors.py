"""`POST /admin/users/{user_id}/mfa-reset`: what every act is checked for stands in `test_admin`."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.accounts.constants import ROLE_SCOPES, Role
from auth.accounts.models import Account
from auth.audit.models import AuditEntry
from auth.mfa.models import Factor, RecoveryCode
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession
from auth.totp.models import TotpSecret
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

REASON = {"reason": "showed their passport"}

CreateProfile = Callable[..., Awaitable[Profile]]
Login = Callable[..., Awaitable[dict[str, str]]]
TurnOn = Callable[..., Awaitable[Any]]


@pytest.fixture
async def user(
    app: FastAPI, database: RolledBackDatabase, create_profile: CreateProfile, turn_on_totp: TurnOn
) -> Profile:
    profile = await create_profile(database)
    await turn_on_totp(app, profile)
    return profile


@pytest.fixture
async def headers(
    app: FastAPI, database: RolledBackDatabase, create_profile: CreateProfile, login: Login
) -> dict[str, str]:
    """Of an admin."""
    return await login(app, await create_profile(database), scope=" ".join(ROLE_SCOPES[Role.ADMIN]))


async def count_kept(database: Database) -> list[int]:
    async with database.transaction() as session:
        tables = (Factor, TotpSecret, RecoveryCode)
        return [(await session.scalars(select(func.count()).select_from(table))).one() for table in tables]


class TestResetFactors:
    async def test_valid(
        self, app: FastAPI, client: httpx.AsyncClient, database: RolledBackDatabase, user: Profile,
        headers: dict[str, str], login: Login, request_token: Callable[..., Awaitable[httpx.Response]],
    ) -> None:  # fmt: skip
        await login(app, user, acr="aal2")
        response = await client.post(f"/admin/users/{user.id}/mfa-reset", json=REASON, headers=headers)
        assert response.status_code == 204, response.text
        assert await count_kept(database) == [0, 0, 0]
        async with database.transaction() as session:
            open_sessions = select(LoginSession.id).filter_by(profile_id=user.id, revoked_at=None)
            assert (await session.scalars(open_sessions)).all() == []
        answer = await request_token(client, username=f"{user.username}@people.example")
        assert answer.status_code == 200

    async def test_recorded_and_told(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, user: Profile, headers: dict[str, str]
    ) -> None:
        await client.post(f"/admin/users/{user.id}/mfa-reset", json=REASON, headers=headers)
        async with database.transaction() as session:
            entry = (await session.scalars(select(AuditEntry).filter_by(action="factors_reset"))).one()
            kinds = select(OutboxEvent.payload["kind"].astext).filter_by(type="security.noticed")
            told = (await session.scalars(kinds.order_by(OutboxEvent.id.desc()).limit(1))).one()
        assert (entry.subject_id, entry.details) == (user.id, REASON)
        assert entry.actor_id not in {None, user.id}
        assert told == "second_factors_reset"

    async def test_where_there_is_none(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, create_profile: CreateProfile,
        headers: dict[str, str],
    ) -> None:  # fmt: skip
        other = await create_profile(database)
        response = await client.post(f"/admin/users/{other.id}/mfa-reset", json=REASON, headers=headers)
        assert response.status_code == 204
        async with database.transaction() as session:
            assert (await session.scalars(select(AuditEntry).filter_by(action="factors_reset"))).all() == []

    @pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}, {"why": "so"}])
    async def test_malformed(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, user: Profile, headers: dict[str, str],
        body: dict[str, str],
    ) -> None:  # fmt: skip
        """Nobody does it without saying why."""
        response = await client.post(f"/admin/users/{user.id}/mfa-reset", json=body, headers=headers)
        assert response.status_code == 422
        async with database.transaction() as session:
            account = await session.get_one(Account, user.id, populate_existing=True)
            assert account.second_factors == ["totp"]
