"""POST, PUT and DELETE of posts: who may, what is refused, what is queued."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from chassis.testing.databases import RolledBackDatabase
from chassis.testing.upstreams import ScriptedUpstream
from posts.creators.models import Creator
from posts.posts.constants import BODY_MAX_BYTES
from posts.posts.models import Post, PostRendering
from posts.posts.schemas import PostRead
from posts.reviews.models import PostReview

Headers = dict[str, str]
CreateProfile = Callable[..., Awaitable[Creator]]
CreatePost = Callable[..., Awaitable[Post]]
Login = Callable[[UUID], Headers]

ARTICLE = {"title": "On small houses", "body": "    code first\n\nQuiet."}


@pytest.fixture
async def creator(database: RolledBackDatabase, create_profile: CreateProfile) -> Creator:
    return await create_profile(database)


@pytest.fixture
async def post(database: RolledBackDatabase, creator: Creator, create_post: CreatePost) -> Post:
    return await create_post(database, creator)


@pytest.fixture
async def draft(database: RolledBackDatabase, creator: Creator, create_post: CreatePost) -> Post:
    return await create_post(database, creator, status="draft")


async def list_renderings(database: RolledBackDatabase) -> list[tuple[UUID, int, str]]:
    rows = select(PostRendering.post_id, PostRendering.version, PostRendering.state).order_by(PostRendering.version)
    async with database.transaction() as session:
        return [(post_id, version, state) for post_id, version, state in await session.execute(rows)]


class TestCreatePost:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, creator: Creator, login: Login
    ) -> None:
        response = await client.post("/posts", json=ARTICLE, headers=login(creator.id))
        read = await client.get(f"/posts/{response.json()['id']}", headers=login(creator.id))

        assert response.status_code == 201
        assert response.headers["location"] == f"posts/{response.json()['id']}"
        assert response.headers["etag"].startswith('"1.')
        PostRead.model_validate_json(response.content)
        assert response.json() == read.json()
        expected = {"status": "draft", "version": 1, "body": ARTICLE["body"], "html": None, "excerpt": None}
        assert {name: response.json()[name] for name in expected} == expected
        assert await list_renderings(database) == [(UUID(response.json()["id"]), 1, "queued")]

    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/posts", json=ARTICLE)

        assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    async def test_forbidden(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        auth: ScriptedUpstream,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        reader = await create_profile(database, is_creator=False)
        auth.clear().answer(200, _describe(reader))

        response = await client.post("/posts", json=ARTICLE, headers=login(reader.id))

        assert (response.status_code, response.json()["code"]) == (403, "not_a_creator")

    async def test_creator_whose_event_is_late(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        auth: ScriptedUpstream,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        new, known = (
            Creator(id=uuid4(), username="ada", first_name="Ada", last_name="Lund"),
            await create_profile(database, is_creator=False),
        )
        for profile in (new, known):
            auth.clear().answer(200, {**_describe(profile), "is_creator": True, "created_at": "2026-11-22T00:00:00Z"})
            first = await client.post("/posts", json=ARTICLE, headers=login(profile.id))
            second = await client.post("/posts", json=ARTICLE, headers=login(profile.id))

            assert (first.status_code, second.status_code) == (201, 201)
            assert first.json()["creator"] == {**_describe(profile), "is_creator": True}
            assert [request.path for request in auth.requests] == [f"/profiles/{profile.id}"]

    async def test_unknown_while_auth_is_away(
        self, client: httpx.AsyncClient, auth: ScriptedUpstream, login: Login
    ) -> None:
        auth.clear().fail()

        response = await client.post("/posts", json=ARTICLE, headers=login(uuid4()))

        assert (response.status_code, response.json()["code"]) == (503, "accounts_unavailable")
        assert response.headers["retry-after"]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"title": ""}, "body.title"),
            ({"title": "   "}, "body.title"),
            ({"title": "x" * 201}, "body.title"),
            ({"title": None}, "body.title"),
            ({"body": ""}, "body.body"),
            ({"body": "x" * (BODY_MAX_BYTES + 1)}, "body.body"),
            ({"body": "é" * (BODY_MAX_BYTES // 2 + 1)}, "body.body"),
            ({"body": "a\x00b"}, "body.body"),
            ({"status": "published"}, "body.status"),
            ({"creator_id": str(uuid4())}, "body.creator_id"),
        ],
    )
    async def test_malformed(
        self, client: httpx.AsyncClient, creator: Creator, login: Login, change: dict[str, Any], field: str
    ) -> None:
        response = await client.post("/posts", json=ARTICLE | change, headers=login(creator.id))

        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == [field]

    async def test_broken_json(self, client: httpx.AsyncClient, creator: Creator, login: Login) -> None:
        headers = {**login(creator.id), "Content-Type": "application/json"}

        assert (await client.post("/posts", content=b'{"title": ', headers=headers)).status_code == 422

    async def test_repeated_under_one_key(self, client: httpx.AsyncClient, creator: Creator, login: Login) -> None:
        headers = {**login(creator.id), "Idempotency-Key": "first"}
        first = await client.post("/posts", json=ARTICLE, headers=headers)
        again = await client.post("/posts", json=ARTICLE, headers=headers)
        other = await client.post("/posts", json=ARTICLE | {"title": "Other"}, headers=headers)

        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["location"] == first.headers["location"]
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


class TestUpdatePost:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, post: Post, creator: Creator, login: Login
    ) -> None:
        etag = (await client.get(f"/posts/{post.id}")).headers["etag"]
        response = await client.put(f"/posts/{post.id}", json=ARTICLE, headers={**login(creator.id), "If-Match": etag})
        read = await client.get(f"/posts/{post.id}", headers=login(creator.id))

        assert response.status_code == 200
        assert response.json() == read.json()
        # Readers keep the former HTML until the new one is there.
        expected = {"version": 2, "status": "published", "body": ARTICLE["body"], "html": "<p>Quiet.</p>"}
        assert {name: response.json()[name] for name in expected} == expected
        assert await list_renderings(database) == [(post.id, 2, "queued")]

    async def test_only_the_newest_version_is_rendered(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, draft: Post, creator: Creator, login: Login
    ) -> None:
        for body in ("one", "two"):
            await client.put(f"/posts/{draft.id}", json=ARTICLE | {"body": body}, headers=login(creator.id))

        assert await list_renderings(database) == [(draft.id, 2, "done"), (draft.id, 3, "queued")]

    async def test_nothing_changed(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, post: Post, creator: Creator, login: Login
    ) -> None:
        same = {"title": post.title, "body": post.body}

        response = await client.put(f"/posts/{post.id}", json=same, headers=login(creator.id))

        assert (response.status_code, response.json()["version"]) == (200, 1)
        assert await list_renderings(database) == []

    async def test_stale(self, client: httpx.AsyncClient, draft: Post, creator: Creator, login: Login) -> None:
        headers = login(creator.id)
        etag = (await client.get(f"/posts/{draft.id}", headers=headers)).headers["etag"]
        first = await client.put(f"/posts/{draft.id}", json=ARTICLE, headers={**headers, "If-Match": etag})
        second = await client.put(
            f"/posts/{draft.id}", json=ARTICLE | {"title": "Mine"}, headers={**headers, "If-Match": etag}
        )
        third = await client.put(
            f"/posts/{draft.id}",
            json=ARTICLE | {"title": "Mine"},
            headers={**headers, "If-Match": first.headers["etag"]},
        )

        assert (first.status_code, third.status_code) == (200, 200)
        assert (second.status_code, second.json()["code"]) == (412, "version_stale")

    async def test_anonymous(self, client: httpx.AsyncClient, post: Post) -> None:
        for post_id in (post.id, uuid4()):
            assert (await client.put(f"/posts/{post_id}", json=ARTICLE)).status_code == 401

    async def test_forbidden(self, client: httpx.AsyncClient, post: Post, login: Login) -> None:
        response = await client.put(f"/posts/{post.id}", json=ARTICLE, headers=login(uuid4()))

        assert (response.status_code, response.json()["code"]) == (403, "not_post_owner")

    async def test_not_found(self, client: httpx.AsyncClient, draft: Post, login: Login) -> None:
        for post_id in (draft.id, uuid4()):
            response = await client.put(f"/posts/{post_id}", json=ARTICLE, headers=login(uuid4()))

            assert (response.status_code, response.json()["code"]) == (404, "post_not_found")

    async def test_malformed(self, client: httpx.AsyncClient, draft: Post, creator: Creator, login: Login) -> None:
        response = await client.put(f"/posts/{draft.id}", json={"title": "Only"}, headers=login(creator.id))

        assert response.status_code == 422


class TestDeletePost:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post: Post,
        creator: Creator,
        login: Login,
        create_profile: CreateProfile,
    ) -> None:
        reader = await create_profile(database, is_creator=False)
        review = {"rating": 5, "text": "Read it twice."}
        assert (await client.post(f"/posts/{post.id}/reviews", json=review, headers=login(reader.id))).is_success

        response = await client.delete(f"/posts/{post.id}", headers=login(creator.id))
        again = await client.delete(f"/posts/{post.id}", headers=login(creator.id))

        assert (response.status_code, response.content) == (204, b"")
        assert again.status_code == 404
        assert (await client.get("/posts")).json()["items"] == []
        async with database.transaction() as session:
            assert (await session.scalars(select(PostReview))).all() == []

    async def test_stale(self, client: httpx.AsyncClient, post: Post, creator: Creator, login: Login) -> None:
        headers = {**login(creator.id), "If-Match": '"7.0123456789abcdef"'}

        assert (await client.delete(f"/posts/{post.id}", headers=headers)).status_code == 412
        assert (await client.get(f"/posts/{post.id}")).status_code == 200

    async def test_anonymous(self, client: httpx.AsyncClient, post: Post) -> None:
        assert (await client.delete(f"/posts/{post.id}")).status_code == 401

    async def test_forbidden(self, client: httpx.AsyncClient, post: Post, login: Login) -> None:
        assert (await client.delete(f"/posts/{post.id}", headers=login(uuid4()))).status_code == 403

    async def test_not_found(self, client: httpx.AsyncClient, draft: Post, login: Login) -> None:
        assert (await client.delete(f"/posts/{draft.id}", headers=login(uuid4()))).status_code == 404


def _describe(profile: Creator) -> dict[str, Any]:
    """As auth shows it to everybody."""
    return {
        "id": str(profile.id),
        "username": profile.username,
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "avatar_url": None,
        "is_creator": bool(profile.is_creator),
    }
