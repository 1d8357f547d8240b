"""What this service contributes to a copy of somebody's data: theirs alone, all of it, page by page."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from chassis.testing.tokens import TokenSigner
from posts.creators.models import Creator, CreatorFollower
from posts.posts.models import Post
from posts.reviews.models import PostReview

CreateProfile = Callable[..., Awaitable[Creator]]
CreatePost = Callable[..., Awaitable[Post]]
Headers = dict[str, str]


@pytest.fixture
def exporter(signer: TokenSigner) -> Headers:
    return {"Authorization": f"Bearer {signer.issue_service_token('worker', ['exports:read'])}"}


async def read(client: httpx.AsyncClient, headers: Headers, user_id: UUID, part: str, **params: Any) -> dict[str, Any]:
    query = {"part": part} | params
    response = await client.get(f"/internal/users/{user_id}/data", params=query, headers=headers)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


class TestListUserData:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        create_post: CreatePost,
        exporter: Headers,
    ) -> None:
        person, other = await create_profile(database), await create_profile(database)
        draft = await create_post(database, person, status="draft", title="Unfinished", body="# Not yet")
        theirs = await create_post(database, other)
        async with database.transaction() as session:
            session.add(PostReview(post_id=theirs.id, reviewer_id=person.id, rating=4, text="Good."))
            session.add(PostReview(post_id=theirs.id, reviewer_id=other.id, rating=1, text="Bad."))
            session.add(CreatorFollower(creator_id=other.id, follower_id=person.id))
            session.add(CreatorFollower(creator_id=person.id, follower_id=other.id))
        with record_statements(database) as statements:
            [post] = (await read(client, exporter, person.id, "posts"))["items"]
        assert len(statements) == 1
        assert post.items() >= {"id": str(draft.id), "title": "Unfinished", "body": "# Not yet"}.items()
        [review] = (await read(client, exporter, person.id, "reviews"))["items"]
        assert (review["rating"], review["text"], review["post_id"]) == (4, "Good.", str(theirs.id))
        [follow] = (await read(client, exporter, person.id, "follows"))["items"]
        assert (follow["creator_id"], follow["creator_username"]) == (str(other.id), other.username)

    async def test_pages(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        create_post: CreatePost,
        exporter: Headers,
    ) -> None:
        person = await create_profile(database)
        written = {str((await create_post(database, person)).id) for _ in range(5)}
        seen, cursor = [], None
        while True:
            params = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
            page = await read(client, exporter, person.id, "posts", **params)
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert (len(seen), set(seen)) == (5, written)

    async def test_of_nobody(self, client: httpx.AsyncClient, exporter: Headers) -> None:
        for part in ("posts", "reviews", "follows"):
            assert await read(client, exporter, uuid4(), part) == {"items": [], "next_cursor": None}
