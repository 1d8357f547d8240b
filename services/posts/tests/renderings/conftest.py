"""A post that waits for its HTML."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from chassis.testing.databases import RolledBackDatabase
from posts.creators.models import Creator
from posts.posts.models import PostRendering

Headers = dict[str, str]


@pytest.fixture
async def owner(
    database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Creator]], login: Callable[[UUID], Headers]
) -> Headers:
    return login((await create_profile(database)).id)


@pytest.fixture
async def post_id(client: httpx.AsyncClient, owner: Headers) -> str:
    """A draft just written, its rendering queued."""
    response = await client.post("/posts", json={"title": "Quiet", "body": "# Quiet"}, headers=owner)
    return str(response.json()["id"])


@pytest.fixture
async def rendering(database: RolledBackDatabase, post_id: str) -> PostRendering:
    async with database.transaction() as session:
        return (await session.scalars(select(PostRendering).filter_by(post_id=UUID(post_id)))).one()
