"""PUT and DELETE of a publication, and what the followers hear of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase
from posts.creators.models import Creator
from posts.posts.models import Post, PostRendering

Headers = dict[str, str]
CreateProfile = Callable[..., Awaitable[Creator]]
CreatePost = Callable[..., Awaitable[Post]]
Login = Callable[[UUID], Headers]

MOMENT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
async def creator(database: RolledBackDatabase, create_profile: CreateProfile) -> Creator:
    return await create_profile(database)


@pytest.fixture
async def owner(creator: Creator, login: Login) -> Headers:
    return login(creator.id)


@pytest.fixture
async def rendered(database: RolledBackDatabase, creator: Creator, create_post: CreatePost) -> Post:
    return await create_post(database, creator, status="draft")


@pytest.fixture
async def unrendered(database: RolledBackDatabase, creator: Creator, create_post: CreatePost) -> Post:
    return await create_post(database, creator, status="draft", html=None, excerpt=None, rendered_version=None)


async def list_events(database: RolledBackDatabase) -> list[OutboxEvent]:
    async with database.transaction() as session:
        return list(await session.scalars(select(OutboxEvent).order_by(OutboxEvent.id)))


class TestPublishPost:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, rendered: Post, owner: Headers
    ) -> None:
        response = await client.put(f"/posts/{rendered.id}/publication", headers=owner)
        read = await client.get(f"/posts/{rendered.id}")

        assert (response.status_code, response.json()["status"]) == (200, "published")
        assert read.json() == response.json() | {"body": None}
        (event,) = await list_events(database)
        assert (event.type, event.aggregate_id, event.aggregate_seq) == ("post.published", rendered.id, 1)
        assert event.payload == {
            "post_id": str(rendered.id),
            "creator_id": str(rendered.creator_id),
            "title": "On small houses",
            "excerpt": "Quiet.",
        }

    async def test_twice(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, rendered: Post, owner: Headers
    ) -> None:
        first = await client.put(f"/posts/{rendered.id}/publication", headers=owner)
        second = await client.put(f"/posts/{rendered.id}/publication", headers=owner)

        assert (second.status_code, second.json()) == (200, first.json())
        assert len(await list_events(database)) == 1

    async def test_not_rendered_yet(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, unrendered: Post, owner: Headers
    ) -> None:
        for _ in range(2):
            response = await client.put(f"/posts/{unrendered.id}/publication", headers=owner)

            assert (response.status_code, response.json()["status"]) == (202, "publishing")
        assert (await client.get(f"/posts/{unrendered.id}")).status_code == 404
        assert await list_events(database) == []
        async with database.transaction() as session:
            assert len((await session.scalars(select(PostRendering))).all()) == 1

    async def test_stale_html_is_not_published(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, rendered: Post, owner: Headers
    ) -> None:
        await client.put(f"/posts/{rendered.id}", json={"title": "New", "body": "New."}, headers=owner)
        response = await client.put(f"/posts/{rendered.id}/publication", headers=owner)

        assert response.status_code == 202
        assert await list_events(database) == []

    async def test_published_again(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        creator: Creator,
        owner: Headers,
        create_post: CreatePost,
    ) -> None:
        """It keeps its place in the lists, and nobody is told again, not even who followed only since."""
        post = await create_post(database, creator, published_at=MOMENT)
        withdrawn = await client.delete(f"/posts/{post.id}/publication", headers=owner)
        hidden = await client.get(f"/posts/{post.id}")
        again = await client.put(f"/posts/{post.id}/publication", headers=owner)

        assert (withdrawn.status_code, hidden.status_code, again.status_code) == (204, 404, 200)
        assert again.json()["published_at"] == "2026-11-01T00:00:00.000000Z"
        assert await list_events(database) == []

    async def test_published_again_once_rendered(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        creator: Creator,
        owner: Headers,
        worker: Headers,
        create_post: CreatePost,
    ) -> None:
        post = await create_post(database, creator, published_at=MOMENT)
        await client.delete(f"/posts/{post.id}/publication", headers=owner)
        await client.put(f"/posts/{post.id}", json={"title": "New", "body": "New."}, headers=owner)
        again = await client.put(f"/posts/{post.id}/publication", headers=owner)
        async with database.transaction() as session:
            rendering_id = await session.scalar(select(PostRendering.id))
        url = f"/internal/renderings/{rendering_id}"
        fence = (await client.post(f"{url}/claim", headers=worker)).json()["fence"]
        report = {"fence": fence, "html": "<p>New.</p>", "excerpt": "New."}
        assert (await client.post(f"{url}/result", json=report, headers=worker)).status_code == 204
        read = (await client.get(f"/posts/{post.id}")).json()

        assert again.status_code == 202
        assert (read["status"], read["published_at"]) == ("published", "2026-11-01T00:00:00.000000Z")
        assert await list_events(database) == []

    async def test_stale(self, client: httpx.AsyncClient, rendered: Post, owner: Headers) -> None:
        headers = {**owner, "If-Match": '"2.0123456789abcdef"'}
        response = await client.put(f"/posts/{rendered.id}/publication", headers=headers)

        assert (response.status_code, response.json()["code"]) == (412, "version_stale")

    async def test_anonymous(self, client: httpx.AsyncClient, rendered: Post) -> None:
        assert (await client.put(f"/posts/{rendered.id}/publication")).status_code == 401

    async def test_forbidden(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        creator: Creator,
        login: Login,
        create_post: CreatePost,
    ) -> None:
        post = await create_post(database, creator)

        assert (await client.put(f"/posts/{post.id}/publication", headers=login(uuid4()))).status_code == 403

    async def test_not_found(self, client: httpx.AsyncClient, rendered: Post, login: Login) -> None:
        for post_id in (rendered.id, uuid4()):
            assert (await client.put(f"/posts/{post_id}/publication", headers=login(uuid4()))).status_code == 404


class TestUnpublishPost:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        creator: Creator,
        owner: Headers,
        create_post: CreatePost,
    ) -> None:
        post = await create_post(database, creator)
        for _ in range(2):
            assert (await client.delete(f"/posts/{post.id}/publication", headers=owner)).status_code == 204

        read = await client.get(f"/posts/{post.id}", headers=owner)
        assert (read.json()["status"], read.json()["version"]) == ("draft", 1)
        assert (await client.get("/posts")).json()["items"] == []

    async def test_while_publishing(self, client: httpx.AsyncClient, unrendered: Post, owner: Headers) -> None:
        await client.put(f"/posts/{unrendered.id}/publication", headers=owner)
        await client.delete(f"/posts/{unrendered.id}/publication", headers=owner)

        assert (await client.get(f"/posts/{unrendered.id}", headers=owner)).json()["status"] == "draft"

    async def test_anonymous(self, client: httpx.AsyncClient, rendered: Post) -> None:
        assert (await client.delete(f"/posts/{rendered.id}/publication")).status_code == 401

    async def test_not_found(self, client: httpx.AsyncClient, rendered: Post, login: Login) -> None:
        assert (await client.delete(f"/posts/{rendered.id}/publication", headers=login(uuid4()))).status_code == 404
