from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import text, update

from auth.profiles.models import Profile
from auth.sessions.models import LoginSession, RefreshToken
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase

REFRESH_COOKIE = "__Host-refresh_token"


@pytest.fixture
async def profile(
    app: FastAPI, database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]
) -> Profile:
    """Somebody who may log in."""
    assert app.state.database is database
    return await create_profile(database)


@pytest.fixture
def email(profile: Profile) -> str:
    return f"{profile.username}@people.example"


@pytest.fixture
def as_cookie() -> Callable[[str], dict[str, str]]:
    """The headers with which a browser sends a refresh token from our own page."""

    def create_headers(token: str) -> dict[str, str]:
        return {"Cookie": f"{REFRESH_COOKIE}={token}", "Sec-Fetch-Site": "same-origin"}

    return create_headers


@pytest.fixture
def let_time_pass() -> Callable[..., Awaitable[None]]:
    """Moves what has happened into the past: everything in a test happens at one moment of the database."""

    async def move(database: Database, *, seconds: int) -> None:
        age = text(f"interval '{seconds} s'")
        async with database.transaction() as session:
            await session.execute(update(RefreshToken).values(used_at=RefreshToken.used_at - age))
            columns = ("expires_at", "revoked_at", "idle_ends_at")
            moved = {name: getattr(LoginSession, name) - age for name in columns}
            await session.execute(update(LoginSession).values(**moved))

    return move
