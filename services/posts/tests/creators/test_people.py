"""People who change their name, are banned, or go: what others see of what they wrote."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from chassis.contracts.accounts import UserBanned, UserDeleted, UserRegistered, UserUnbanned, UserUpdated
from chassis.contracts.base import Event
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.events import apply_event
from posts.background import HANDLERS
from posts.creators.models import Creator, CreatorFollower
from posts.posts.models import Post
from posts.reviews.models import PostReview

CreateProfile = Callable[..., Awaitable[Creator]]
CreatePost = Callable[..., Awaitable[Post]]
Headers = dict[str, str]


async def apply(database: Database, event: Event, seq: int = 5) -> None:
    async with database.transaction() as session:
        await apply_event(session, HANDLERS, event, aggregate_seq=seq)


@pytest.fixture
async def creator(database: RolledBackDatabase, create_profile: CreateProfile) -> Creator:
    return await create_profile(database, is_creator=True)


@pytest.fixture
async def post(database: RolledBackDatabase, creator: Creator, create_post: CreatePost) -> Post:
    return await create_post(database, creator)


def change(creator: Creator, **fields: str) -> UserUpdated:
    names = {name: getattr(creator, name) for name in ("username", "first_name", "last_name")}
    return UserUpdated.model_validate({"user_id": creator.id, "email": "a@people.example"} | names | fields)


class TestUserUpdated:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, creator: Creator, post: Post
    ) -> None:
        await apply(database, change(creator, username="renamed"), seq=7)
        await apply(database, change(creator, username="older"), seq=6)
        assert (await client.get(f"/posts/{post.id}")).json()["creator"]["username"] == "renamed"

    async def test_avatar_is_shown_with_what_they_wrote(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        creator: Creator,
        post: Post,
        login: Callable[..., Headers],
    ) -> None:
        url = f"/api/v1/profiles/{creator.id}/avatars/{uuid4()}"
        for seq, shown in ((7, url), (8, None)):
            await apply(database, change(creator, **({"avatar_url": shown} if shown else {})), seq=seq)
            for headers in ({}, login(creator.id)):
                read = (await client.get(f"/posts/{post.id}", headers=headers)).json()
                assert read["creator"]["avatar_url"] == shown
            [item] = (await client.get("/posts")).json()["items"]
            assert item["creator"]["avatar_url"] == shown


class TestUserBanned:
    async def test_nobody_sees_what_they_wrote_until_they_are_back(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        creator: Creator,
        post: Post,
        create_profile: CreateProfile,
        login: Callable[..., Headers],
    ) -> None:
        reviewer = await create_profile(database)
        paths = (f"/posts/{post.id}", f"/posts/{post.id}/reviews", f"/creators/{creator.id}/posts")
        body = {"rating": 4, "text": "Good."}
        await apply(database, UserBanned(user_id=creator.id), seq=5)
        assert [(await client.get(path)).status_code for path in paths] == [404, 404, 404]
        assert (await client.get("/posts")).json()["items"] == []
        review = await client.post(f"/posts/{post.id}/reviews", json=body, headers=login(reviewer.id))
        assert review.status_code == 404
        assert (await client.get(f"/posts/{post.id}", headers=login(creator.id))).status_code == 200
        await apply(database, UserUnbanned(user_id=creator.id), seq=6)
        assert [(await client.get(path)).status_code for path in paths] == [200, 200, 200]
        assert len((await client.get("/posts")).json()["items"]) == 1

    @pytest.mark.parametrize(
        ("newest", "older", "status"), [(UserUnbanned, UserBanned, 200), (UserBanned, UserUnbanned, 404)]
    )
    async def test_older_event_that_was_dead_is_replayed(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post: Post,
        newest: type[UserBanned | UserUnbanned],
        older: type[UserBanned | UserUnbanned],
        status: int,
    ) -> None:
        await apply(database, newest(user_id=post.creator_id), seq=6)
        await apply(database, older(user_id=post.creator_id), seq=5)
        assert (await client.get(f"/posts/{post.id}")).status_code == status


class TestUserDeleted:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        creator: Creator,
        post: Post,
        create_profile: CreateProfile,
        create_post: CreatePost,
    ) -> None:
        """Posts and names go; a review leaves its rating, and the average stands."""
        other = await create_profile(database, is_creator=True)
        reviewed = await create_post(database, other)
        async with database.transaction() as session:
            session.add(PostReview(post_id=reviewed.id, reviewer_id=creator.id, rating=4, text="Canary words"))
            session.add(CreatorFollower(creator_id=other.id, follower_id=creator.id))
            session.add(CreatorFollower(creator_id=creator.id, follower_id=other.id))
        await apply(database, UserDeleted(user_id=creator.id))
        assert (await client.get(f"/posts/{post.id}")).status_code == 404
        page = await client.get(f"/posts/{reviewed.id}/reviews")
        [review] = page.json()["items"]
        assert (review["rating"], review["reviewer"]["first_name"]) == (4, "Deleted")
        for word in ("Canary", creator.username):
            assert word not in page.text
        async with database.transaction() as session:
            assert set(await session.scalars(select(CreatorFollower.is_following))) == {False}

    async def test_older_events_bring_no_name_back(self, database: RolledBackDatabase, creator: Creator) -> None:
        await apply(database, UserDeleted(user_id=creator.id))
        names = {"username": "back", "first_name": "Back", "last_name": "Again"}
        registered = UserRegistered(user_id=creator.id, email="a@people.example", confirmation_id=uuid4(), **names)
        await apply(database, registered, seq=1)
        await apply(database, change(creator), seq=9)
        async with database.transaction() as session:
            row = await session.get_one(Creator, creator.id, populate_existing=True)
        assert (row.first_name, row.username) == ("Deleted", f"deleted_{creator.id.hex}")

    async def test_twice_and_of_somebody_unknown(self, database: RolledBackDatabase, creator: Creator) -> None:
        seen = []
        for user_id in (creator.id, creator.id, uuid4()):
            await apply(database, UserDeleted(user_id=user_id))
            async with database.transaction() as session:
                rows = await session.execute(select(Creator.id, Creator.username, Creator.hidden_at))
                seen.append([tuple(row) for row in rows])
        assert [(row[0], row[1]) for row in seen[0]] == [(creator.id, f"deleted_{creator.id.hex}")]
        assert seen[0] == seen[1] == seen[2]
