"""Several at once on real connections, and a process that ends in the middle."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from posts.creators.models import Creator
from posts.posts.models import Post, PostRendering
from posts.posts.schemas import PostCreate
from posts.posts.service import create_post as create_post_service

Headers = dict[str, str]
CreateProfile = Callable[..., Awaitable[Creator]]
CreatePost = Callable[..., Awaitable[Post]]
Login = Callable[[UUID], Headers]

ARTICLE = {"title": "On small houses", "body": "Quiet."}


@pytest.fixture
async def creator(committed_database: Database, create_profile: CreateProfile) -> Creator:
    return await create_profile(committed_database)


@pytest.fixture
async def owner(creator: Creator, login: Login) -> Headers:
    return login(creator.id)


async def count(database: Database, model: type[Post] | type[PostRendering] | type[OutboxEvent]) -> int | None:
    async with database.transaction() as session:
        return await session.scalar(select(func.count()).select_from(model))


class TestCreatePost:
    async def test_twenty_times_under_one_key(
        self, committed_client: httpx.AsyncClient, committed_database: Database, owner: Headers
    ) -> None:
        headers = {**owner, "Idempotency-Key": "only-once"}
        calls = (committed_client.post("/posts", json=ARTICLE, headers=headers) for _ in range(20))
        responses = await asyncio.gather(*calls)

        # Who waited too long for the first is told to come again; nobody is told of a second post.
        created = [response for response in responses if response.status_code == 201]
        refused = [response.json()["code"] for response in responses if response.status_code != 201]
        assert len({response.json()["id"] for response in created}) == 1
        assert set(refused) <= {"idempotency_key_busy", "service_unavailable"}
        assert await count(committed_database, Post) == 1
        assert await count(committed_database, PostRendering) == 1

    async def test_interrupted(self, committed_database: Database, creator: Creator) -> None:
        """Whatever ends the process before the commit, nothing of the post is left."""

        async def write_and_end() -> None:
            async with committed_database.transaction() as session:
                await create_post_service(session, creator, PostCreate.model_validate(ARTICLE))
                raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            await write_and_end()

        assert await count(committed_database, Post) == 0
        assert await count(committed_database, PostRendering) == 0


class TestUpdatePost:
    async def test_two_editors(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        creator: Creator,
        owner: Headers,
        create_post: CreatePost,
    ) -> None:
        post = await create_post(committed_database, creator)
        etag = (await committed_client.get(f"/posts/{post.id}")).headers["etag"]
        calls = (
            committed_client.put(
                f"/posts/{post.id}", json=ARTICLE | {"title": f"Of {name}"}, headers={**owner, "If-Match": etag}
            )
            for name in ("one", "two", "three", "four", "five")
        )
        responses = await asyncio.gather(*calls)

        winners = [response for response in responses if response.status_code == 200]
        assert len(winners) == 1
        assert {response.json()["code"] for response in responses if response not in winners} == {"version_stale"}
        read = (await committed_client.get(f"/posts/{post.id}", headers=owner)).json()
        assert (read["title"], read["version"]) == (winners[0].json()["title"], 2)

    async def test_without_if_match_none_is_lost(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        creator: Creator,
        owner: Headers,
        create_post: CreatePost,
    ) -> None:
        post = await create_post(committed_database, creator)
        calls = (
            committed_client.put(f"/posts/{post.id}", json=ARTICLE | {"title": f"No. {number}"}, headers=owner)
            for number in range(5)
        )
        responses = await asyncio.gather(*calls)

        assert sorted(response.json()["version"] for response in responses) == [2, 3, 4, 5, 6]


class TestPublishPost:
    async def test_told_once(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        creator: Creator,
        owner: Headers,
        create_post: CreatePost,
    ) -> None:
        post = await create_post(committed_database, creator, status="draft")
        calls = (committed_client.put(f"/posts/{post.id}/publication", headers=owner) for _ in range(5))
        responses = await asyncio.gather(*calls)

        assert [response.status_code for response in responses] == [200] * 5
        assert await count(committed_database, OutboxEvent) == 1


class TestDeletePost:
    async def test_while_it_is_changed(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        creator: Creator,
        owner: Headers,
        create_post: CreatePost,
    ) -> None:
        post = await create_post(committed_database, creator)
        url = f"/posts/{post.id}"
        responses = await asyncio.gather(
            *(committed_client.put(url, json=ARTICLE | {"title": f"{number}"}, headers=owner) for number in range(3)),
            *(committed_client.delete(url, headers=owner) for _ in range(2)),
        )

        codes = [response.status_code for response in responses]
        assert codes.count(204) == 1
        assert set(codes) <= {200, 204, 404}
        assert await count(committed_database, Post) == 0
        assert await count(committed_database, PostRendering) == 0
