"""GET routes of posts: one statement each, bytes that fit the declared schema."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import httpx
import pytest

from chassis.pagination import Page
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from posts.creators.models import Creator
from posts.posts.models import Post
from posts.posts.schemas import PostListItem, PostRead

Headers = dict[str, str]
CreateProfile = Callable[..., Awaitable[Creator]]
CreatePost = Callable[..., Awaitable[Post]]
Login = Callable[[UUID], Headers]

MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
async def creator(database: RolledBackDatabase, create_profile: CreateProfile) -> Creator:
    return await create_profile(database, username="mina")


@pytest.fixture
async def post(database: RolledBackDatabase, creator: Creator, create_post: CreatePost) -> Post:
    return await create_post(database, creator, published_at=MOMENT)


@pytest.fixture
async def draft(database: RolledBackDatabase, creator: Creator, create_post: CreatePost) -> Post:
    return await create_post(database, creator, status="draft", html=None, excerpt=None, rendered_version=None)


class TestGetPost:
    async def test_valid(self, client: httpx.AsyncClient, post: Post, creator: Creator) -> None:
        response = await client.get(f"/posts/{post.id}")

        assert response.status_code == 200
        assert response.json() == {
            "id": str(post.id),
            "title": "On small houses",
            "excerpt": "Quiet.",
            "status": "published",
            "version": 1,
            "rating": {"average": None, "count": 0},
            "creator": {
                "id": str(creator.id),
                "username": "mina",
                "first_name": "Mina",
                "last_name": "Okafor",
                "avatar_url": None,
                "is_creator": True,
            },
            "created_at": response.json()["created_at"],
            "updated_at": response.json()["updated_at"],
            "published_at": "2026-11-22T12:00:00.000000Z",
            "body": None,
            "html": "<p>Quiet.</p>",
            "publication_error": None,
        }
        PostRead.model_validate_json(response.content, strict=False)
        assert list(response.json()) == list(PostRead.model_fields)

    async def test_owner_has_the_markdown(
        self, client: httpx.AsyncClient, draft: Post, creator: Creator, login: Login
    ) -> None:
        response = await client.get(f"/posts/{draft.id}", headers=login(creator.id))

        assert response.status_code == 200
        assert (response.json()["status"], response.json()["body"]) == ("draft", "Quiet.")
        PostRead.model_validate_json(response.content)

    async def test_draft_is_not_found_by_others(self, client: httpx.AsyncClient, draft: Post, login: Login) -> None:
        for headers in ({}, login(uuid4())):
            response = await client.get(f"/posts/{draft.id}", headers=headers)

            assert (response.status_code, response.json()["code"]) == (404, "post_not_found")

    async def test_not_found(self, client: httpx.AsyncClient) -> None:
        response = await client.get(f"/posts/{uuid4()}")

        assert (response.status_code, response.json()["code"]) == (404, "post_not_found")

    async def test_malformed_id(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/posts/first")

        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "path.post_id")

    async def test_bad_token_is_no_stranger(self, client: httpx.AsyncClient, post: Post) -> None:
        response = await client.get(f"/posts/{post.id}", headers={"Authorization": "Bearer nonsense"})

        assert (response.status_code, response.json()["code"]) == (401, "token_invalid")

    async def test_not_modified(self, client: httpx.AsyncClient, post: Post, creator: Creator, login: Login) -> None:
        first = await client.get(f"/posts/{post.id}")
        second = await client.get(f"/posts/{post.id}", headers={"If-None-Match": first.headers["etag"]})
        as_owner = await client.get(
            f"/posts/{post.id}", headers={"If-None-Match": first.headers["etag"], **login(creator.id)}
        )

        assert (second.status_code, second.content) == (304, b"")
        assert second.headers["etag"] == first.headers["etag"]
        assert as_owner.status_code == 200

    async def test_statements(self, client: httpx.AsyncClient, database: RolledBackDatabase, post: Post) -> None:
        with record_statements(database) as statements:
            await client.get(f"/posts/{post.id}")

        assert len(statements) == 1


class TestGetUserPost:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, draft: Post, creator: Creator, login: Login
    ) -> None:
        with record_statements(database) as statements:
            response = await client.get(f"/users/{creator.id}/posts/{draft.id}", headers=login(creator.id))
        hot = await client.get(f"/posts/{draft.id}", headers=login(creator.id))

        assert response.status_code == 200
        assert response.json() == hot.json()
        assert len(statements) == 1

    async def test_not_modified(self, client: httpx.AsyncClient, draft: Post, creator: Creator, login: Login) -> None:
        url, headers = f"/users/{creator.id}/posts/{draft.id}", login(creator.id)
        etag = (await client.get(url, headers=headers)).headers["etag"]
        response = await client.get(url, headers={**headers, "If-None-Match": etag})

        assert response.status_code == 304

    async def test_anonymous(self, client: httpx.AsyncClient, post: Post, creator: Creator) -> None:
        response = await client.get(f"/users/{creator.id}/posts/{post.id}")

        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")

    async def test_forbidden(self, client: httpx.AsyncClient, post: Post, creator: Creator, login: Login) -> None:
        response = await client.get(f"/users/{creator.id}/posts/{post.id}", headers=login(uuid4()))

        assert (response.status_code, response.json()["code"]) == (403, "not_post_owner")

    async def test_not_found(self, client: httpx.AsyncClient, draft: Post, creator: Creator, login: Login) -> None:
        wrong_user = await client.get(f"/users/{uuid4()}/posts/{draft.id}", headers=login(creator.id))
        stranger = await client.get(f"/users/{creator.id}/posts/{draft.id}", headers=login(uuid4()))
        unknown = await client.get(f"/users/{creator.id}/posts/{uuid4()}", headers=login(creator.id))

        assert [wrong_user.status_code, stranger.status_code, unknown.status_code] == [404, 404, 404]


class TestListPosts:
    @pytest.mark.usefixtures("draft")
    async def test_valid(self, client: httpx.AsyncClient, database: RolledBackDatabase, post: Post) -> None:
        with record_statements(database) as statements:
            response = await client.get("/posts")

        assert response.status_code == 200
        assert [item["id"] for item in response.json()["items"]] == [str(post.id)]
        assert list(response.json()["items"][0]) == list(PostListItem.model_fields)
        Page[PostListItem].model_validate_json(response.content)
        assert len(statements) == 1

    async def test_newest_first_and_ties_by_id(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, creator: Creator, create_post: CreatePost
    ) -> None:
        hours = [3, 1, 1, 1, 2]
        posts = [await create_post(database, creator, published_at=MOMENT + timedelta(hours=hour)) for hour in hours]
        expected = sorted(posts, key=lambda post: (post.published_at, post.id), reverse=True)

        seen, links = await _read_all(client, "/posts?limit=2")

        assert seen == [str(post.id) for post in expected]
        assert links == 2

    @pytest.mark.usefixtures("post")
    async def test_by_creator(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        create_post: CreatePost,
    ) -> None:
        other = await create_profile(database)
        theirs = [str((await create_post(database, other)).id) for _ in range(3)]

        seen, _ = await _read_all(client, f"/posts?limit=1&creator_id={other.id}")

        assert seen == theirs[::-1]

    @pytest.mark.usefixtures("post")
    async def test_unknown_creator_filters_all(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/posts", params={"creator_id": str(uuid4())})

        assert response.json() == {"items": [], "next_cursor": None}

    async def test_cursor_of_another_list(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, creator: Creator, create_post: CreatePost
    ) -> None:
        for _ in range(2):
            await create_post(database, creator)
        cursor = (await client.get("/posts?limit=1")).json()["next_cursor"]

        for url in (f"/posts?creator_id={creator.id}&", f"/creators/{creator.id}/posts?"):
            response = await client.get(f"{url}cursor={cursor}")

            assert (response.status_code, response.json()["code"]) == (400, "cursor_invalid")

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "creator_id=x"])
    async def test_malformed(self, client: httpx.AsyncClient, query: str) -> None:
        assert (await client.get(f"/posts?{query}")).status_code == 422


class TestListCreatorPosts:
    @pytest.mark.usefixtures("draft")
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, post: Post, creator: Creator
    ) -> None:
        with record_statements(database) as statements:
            response = await client.get(f"/creators/{creator.id}/posts")

        items = response.json()["items"]
        assert [(item["id"], item["creator"]["username"]) for item in items] == [(str(post.id), "mina")]
        Page[PostListItem].model_validate_json(response.content)
        assert len(statements) == 1

    async def test_nothing_published(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, create_profile: CreateProfile
    ) -> None:
        creator = await create_profile(database)

        response = await client.get(f"/creators/{creator.id}/posts")

        assert (response.status_code, response.json()) == (200, {"items": [], "next_cursor": None})

    async def test_not_found(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, create_profile: CreateProfile
    ) -> None:
        reader = await create_profile(database, is_creator=False)
        with record_statements(database) as statements:
            unknown = await client.get(f"/creators/{uuid4()}/posts")
        no_creator = await client.get(f"/creators/{reader.id}/posts")

        assert (unknown.status_code, unknown.json()["code"]) == (404, "creator_not_found")
        assert no_creator.status_code == 404
        assert len(statements) == 1

    async def test_cursor_of_another_creator(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        creator: Creator,
        create_profile: CreateProfile,
        create_post: CreatePost,
    ) -> None:
        other = await create_profile(database)
        for _ in range(2):
            await create_post(database, creator)
        cursor = (await client.get(f"/creators/{creator.id}/posts?limit=1")).json()["next_cursor"]

        response = await client.get(f"/creators/{other.id}/posts", params={"cursor": cursor})

        assert (response.status_code, response.json()["code"]) == (400, "cursor_invalid")


async def _read_all(client: httpx.AsyncClient, url: str) -> tuple[list[str], int]:
    """The ids of all pages by way of the `Link` header, and how many links there were."""
    page: dict[str, Any]
    seen: list[str] = []
    links, path = 0, url.partition("?")[0]
    while True:
        response = await client.get(url)
        page = response.json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            assert "link" not in response.headers
            return seen, links
        query = response.headers["link"].removeprefix("<").partition(">")[0]
        assert parse_qs(query.removeprefix("?"))["cursor"] == [page["next_cursor"]]
        url, links = path + query, links + 1
