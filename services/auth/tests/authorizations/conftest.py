from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI

from auth.profiles.models import Profile
from chassis.testing.databases import RolledBackDatabase


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
def email(profile: Profile) -> str:
    return f"{profile.username}@people.example"


@pytest.fixture
async def other(database: RolledBackDatabase, register_app: Callable[..., Awaitable[Any]]) -> Any:
    return await register_app(database)


@pytest.fixture
async def browser(
    app: FastAPI, profile: Profile, log_in_browser: Callable[..., Awaitable[dict[str, str]]]
) -> dict[str, str]:
    return await log_in_browser(app, profile)
