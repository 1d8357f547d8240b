from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from auth.confirmations.constants import Purpose
from auth.confirmations.models import Confirmation
from auth.profiles.models import Profile
from auth.recovery.service import handle_requests
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

ReadTokens = Callable[[FastAPI], Awaitable[dict[str, str]]]


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
def email(profile: Profile) -> str:
    return f"{profile.username}@people.example"


@pytest.fixture
def read_tokens() -> ReadTokens:
    """What the newest mails of each purpose carry, once the background process has looked."""

    async def read(app: FastAPI) -> dict[str, str]:
        signer, database = app.state.confirmation_signer, app.state.database
        async with database.transaction() as session:
            await handle_requests(session, signer)
        async with database.transaction() as session:
            rows = await session.scalars(select(Confirmation).order_by(Confirmation.id))
            return {row.purpose: signer.derive_token(row.id) for row in rows}

    return read


@pytest.fixture
def list_notices() -> Callable[[Database], Awaitable[list[str]]]:
    async def list_kinds(database: Database) -> list[str]:
        query = select(OutboxEvent.payload["kind"].astext).filter_by(type="security.noticed").order_by(OutboxEvent.id)
        async with database.transaction() as session:
            return [str(kind) for kind in await session.scalars(query)]

    return list_kinds


@pytest.fixture
def list_mails() -> Callable[[Database], Awaitable[list[tuple[str, str]]]]:
    """Address and purpose of each mail with a link that was asked for."""

    async def list_them(database: Database) -> list[tuple[str, str]]:
        query = select(OutboxEvent.payload).filter_by(type="confirmation.requested").order_by(OutboxEvent.id)
        async with database.transaction() as session:
            return [(payload["email"], Purpose(payload["purpose"])) for payload in await session.scalars(query)]

    return list_them
