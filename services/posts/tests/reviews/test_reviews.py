"""Reviews of a post, and the rating that the post keeps."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from chassis.events.outbox import OutboxEvent
from chassis.pagination import Page
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from chassis.testing.upstreams import ScriptedUpstream
from posts.creators.models import Creator
from posts.posts.models import Post
from posts.reviews.schemas import ReviewRead

Headers = dict[str, str]
CreateProfile = Callable[..., Awaitable[Creator]]
CreatePost = Callable[..., Awaitable[Post]]
Login = Callable[[UUID], Headers]

REVIEW = {"rating": 4, "text": "Read it twice."}


@pytest.fixture
async def creator(database: RolledBackDatabase, create_profile: CreateProfile) -> Creator:
    return await create_profile(database)


@pytest.fixture
async def reader(database: RolledBackDatabase, create_profile: CreateProfile) -> Creator:
    return await create_profile(database, is_creator=False, username="ada")


@pytest.fixture
async def post(database: RolledBackDatabase, creator: Creator, create_post: CreatePost) -> Post:
    return await create_post(database, creator)


@pytest.fixture
async def draft(database: RolledBackDatabase, creator: Creator, create_post: CreatePost) -> Post:
    return await create_post(database, creator, status="draft")


class TestCreateReview:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, post: Post, reader: Creator, login: Login
    ) -> None:
        before = (await client.get(f"/posts/{post.id}")).json()
        response = await client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=login(reader.id))
        after = (await client.get(f"/posts/{post.id}")).json()

        assert response.status_code == 201
        ReviewRead.model_validate_json(response.content)
        assert response.json() == {
            "id": response.json()["id"],
            "post_id": str(post.id),
            **REVIEW,
            "reviewer": {
                "id": str(reader.id),
                "username": "ada",
                "first_name": "Mina",
                "last_name": "Okafor",
                "avatar_url": None,
            },
            "created_at": response.json()["created_at"],
        }
        # What a reader thinks of it is no change of the post.
        assert after == before | {"rating": {"average": 4, "count": 1}}
        async with database.transaction() as session:
            (event,) = (await session.scalars(select(OutboxEvent))).all()
        assert event.type == "review.created"
        assert event.payload == {
            "review_id": response.json()["id"],
            "post_id": str(post.id),
            "post_title": post.title,
            "creator_id": str(post.creator_id),
            "reviewer_id": str(reader.id),
            "rating": 4,
        }

    async def test_average(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post: Post,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        for rating in (5, 4, 4):
            reader = await create_profile(database, is_creator=False)
            await client.post(f"/posts/{post.id}/reviews", json=REVIEW | {"rating": rating}, headers=login(reader.id))

        assert (await client.get(f"/posts/{post.id}")).json()["rating"] == {"average": 4.33, "count": 3}

    async def test_conflict(self, client: httpx.AsyncClient, post: Post, reader: Creator, login: Login) -> None:
        await client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=login(reader.id))
        second = await client.post(f"/posts/{post.id}/reviews", json=REVIEW | {"rating": 1}, headers=login(reader.id))

        assert (second.status_code, second.json()["code"]) == (409, "review_exists")
        assert (await client.get(f"/posts/{post.id}")).json()["rating"] == {"average": 4, "count": 1}

    async def test_repeated_under_one_key(
        self, client: httpx.AsyncClient, post: Post, reader: Creator, login: Login
    ) -> None:
        headers = {**login(reader.id), "Idempotency-Key": "once"}
        first = await client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=headers)
        second = await client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=headers)

        assert (second.status_code, second.content) == (201, first.content)

    async def test_reviewer_whose_event_is_late(
        self, client: httpx.AsyncClient, auth: ScriptedUpstream, post: Post, login: Login
    ) -> None:
        profile: dict[str, Any] = {
            "id": str(uuid4()),
            "username": "zoe",
            "first_name": "Zoe",
            "last_name": "Park",
            "avatar_url": "/x",
        }
        auth.clear().answer(200, {**profile, "is_creator": False})
        headers = login(UUID(profile["id"]))

        response = await client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=headers)
        listed = await client.get(f"/posts/{post.id}/reviews")

        assert (response.status_code, response.json()["reviewer"]) == (201, profile)
        assert listed.json()["items"] == [response.json()]

    async def test_anonymous(self, client: httpx.AsyncClient, post: Post) -> None:
        assert (await client.post(f"/posts/{post.id}/reviews", json=REVIEW)).status_code == 401

    async def test_forbidden(self, client: httpx.AsyncClient, post: Post, creator: Creator, login: Login) -> None:
        own = await client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=login(creator.id))
        unknown = await client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=login(uuid4()))

        assert (own.status_code, own.json()["code"]) == (403, "own_post")
        assert (unknown.status_code, unknown.json()["code"]) == (403, "profile_unknown")

    async def test_not_found(
        self, client: httpx.AsyncClient, draft: Post, creator: Creator, reader: Creator, login: Login
    ) -> None:
        for post_id, user_id in ((draft.id, reader.id), (draft.id, creator.id), (uuid4(), reader.id)):
            response = await client.post(f"/posts/{post_id}/reviews", json=REVIEW, headers=login(user_id))

            assert (response.status_code, response.json()["code"]) == (404, "post_not_found")

    @pytest.mark.parametrize(
        "change", [{"rating": 0}, {"rating": 6}, {"rating": 4.5}, {"text": ""}, {"text": "x" * 5001}, {"stars": 5}]
    )
    async def test_malformed(
        self, client: httpx.AsyncClient, post: Post, reader: Creator, login: Login, change: dict[str, Any]
    ) -> None:
        response = await client.post(f"/posts/{post.id}/reviews", json=REVIEW | change, headers=login(reader.id))

        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == [f"body.{next(iter(change))}"]


class TestListReviews:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post: Post,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        written = []
        for _ in range(3):
            reader = await create_profile(database, is_creator=False)
            response = await client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=login(reader.id))
            written.append(response.json())
        with record_statements(database) as statements:
            first = await client.get(f"/posts/{post.id}/reviews?limit=2")
        second = await client.get(f"/posts/{post.id}/reviews?limit=2&cursor={first.json()['next_cursor']}")

        assert first.json()["items"] + second.json()["items"] == written[::-1]
        assert second.json()["next_cursor"] is None
        Page[ReviewRead].model_validate_json(first.content)
        assert len(statements) == 1

    async def test_none(self, client: httpx.AsyncClient, post: Post) -> None:
        response = await client.get(f"/posts/{post.id}/reviews")

        assert (response.status_code, response.json()) == (200, {"items": [], "next_cursor": None})

    async def test_not_found(self, client: httpx.AsyncClient, database: RolledBackDatabase, draft: Post) -> None:
        for post_id in (draft.id, uuid4()):
            with record_statements(database) as statements:
                response = await client.get(f"/posts/{post_id}/reviews")

            assert (response.status_code, response.json()["code"]) == (404, "post_not_found")
            assert len(statements) == 1

    async def test_cursor_of_another_post(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        creator: Creator,
        post: Post,
        create_profile: CreateProfile,
        create_post: CreatePost,
        login: Login,
    ) -> None:
        other = await create_post(database, creator)
        for _ in range(2):
            reader = await create_profile(database, is_creator=False)
            await client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=login(reader.id))
        cursor = (await client.get(f"/posts/{post.id}/reviews?limit=1")).json()["next_cursor"]

        response = await client.get(f"/posts/{other.id}/reviews", params={"cursor": cursor})

        assert (response.status_code, response.json()["code"]) == (400, "cursor_invalid")
