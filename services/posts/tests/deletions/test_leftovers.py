"""After a deletion nothing is left that says who somebody was, or what they wrote.

Every table takes part: one that is new fails here until it is filled below, or says why it need not be.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import UserDeleted
from chassis.database.engine import Database
from chassis.events.inbox import DeadEvent
from chassis.idempotency import IdempotencyKey
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.events import apply_event, create_envelope
from chassis.testing.leftovers import dump_tables
from posts.background import HANDLERS
from posts.creators.models import Creator, CreatorFollower
from posts.deletions.service import forget_late
from posts.exports.queries import PARTS
from posts.posts.models import Post, PostRendering
from posts.reviews.models import PostReview

CreateProfile = Callable[..., Awaitable[Creator]]
CreatePost = Callable[..., Awaitable[Post]]
Headers = dict[str, str]
CANARY = "canary"

# Nobody's: how far the feed has been read.
NOT_OF_PEOPLE = {"feed_cursor": "a place in a feed", "inbox_event": "ids of events"}
# The id of somebody who is gone may stay in them; nothing else of theirs.
IDS_STAY = {
    "creator": "names nobody; ratings hang on it",
    "creator_follower": "keeps the order of two events",
    "post_review": "a rating, which is part of an average",
}
# The feed: subscribers that are behind need it. Its partitions are dropped after seven days (ADR 0018).
FORGETS_IN_A_WEEK = {"outbox_event"}

EXPORTED = {"post": "posts", "post_review": "reviews", "creator_follower": "follows"}
NOT_EXPORTED = {
    "creator": "auth's profile, as it is known here",
    "post_rendering": "jobs",
    "idempotency_key": "answers that they got, for a day",
    "inbox_dead_event": "events of auth",
}


async def fill(session: AsyncSession, person: Creator, post: Post, reviewed: Post) -> None:
    names = {"user_id": person.id, "route": "POST /posts", "key": "k", "body_digest": b"1", "body": b"Canary"}
    envelope = create_envelope(UserDeleted(user_id=person.id)).model_dump(mode="json")
    session.add_all(
        [
            PostRendering(post_id=post.id, version=1, last_error="canary"),
            PostReview(post_id=reviewed.id, reviewer_id=person.id, rating=4, text="Canary words"),
            CreatorFollower(creator_id=reviewed.creator_id, follower_id=person.id),
            CreatorFollower(creator_id=person.id, follower_id=reviewed.creator_id),
            IdempotencyKey(**names),
            DeadEvent(
                consumer="posts", event_id=uuid4(), envelope=envelope | {"note": "canary"}, error="e", attempts=5
            ),
        ]
    )


async def delete(database: Database, user_id: UUID) -> None:
    async with database.transaction() as session:
        await apply_event(session, HANDLERS, UserDeleted(user_id=user_id), aggregate_seq=9)


@pytest.fixture
async def person(database: RolledBackDatabase, create_profile: CreateProfile) -> Creator:
    names = {"username": "canary", "first_name": "Canaryfirst", "last_name": "Canarylast", "avatar_url": "/canary"}
    return await create_profile(database, **names)


@pytest.fixture
async def before(
    database: RolledBackDatabase, person: Creator, create_profile: CreateProfile, create_post: CreatePost
) -> dict[str, list[str]]:
    """What all tables held."""
    words = dict.fromkeys(("title", "body", "html", "excerpt"), "Canary")
    post = await create_post(database, person, **words)
    reviewed = await create_post(database, await create_profile(database))
    async with database.transaction() as session:
        await fill(session, person, post, reviewed)
    return await dump_tables(database)


class TestLeftovers:
    async def test_every_table_is_filled_or_explained(self, before: dict[str, list[str]]) -> None:
        empty = {name for name, rows in before.items() if not rows}
        assert empty - NOT_OF_PEOPLE.keys() - FORGETS_IN_A_WEEK == set()

    async def test_nothing_personal_is_left(
        self, database: RolledBackDatabase, person: Creator, before: dict[str, list[str]]
    ) -> None:
        held = {name for name, rows in before.items() if any(CANARY in row for row in rows)}
        assert {"creator", "post", "post_review", "post_rendering", "idempotency_key", "inbox_dead_event"} <= held
        await delete(database, person.id)
        for name, rows in (await dump_tables(database)).items():
            for row in rows:
                assert CANARY not in row, f"{name} remembers: {row}"
                assert str(person.id) not in row or name in IDS_STAY, f"{name} remembers the id"

    async def test_every_table_is_exported_or_explained(self, database: RolledBackDatabase) -> None:
        explained = EXPORTED.keys() | NOT_EXPORTED.keys() | NOT_OF_PEOPLE.keys() | FORGETS_IN_A_WEEK
        assert (await dump_tables(database)).keys() - explained == set()
        assert set(EXPORTED.values()) == {part.name for part in PARTS}


class TestLateWords:
    async def test_token_of_a_moment_ago_writes_nothing(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        person: Creator,
        create_profile: CreateProfile,
        create_post: CreatePost,
        login: Callable[[UUID], Headers],
    ) -> None:
        post = await create_post(database, await create_profile(database))
        await delete(database, person.id)
        for path, body, code in (
            (f"/posts/{post.id}/reviews", {"rating": 4, "text": "Canary"}, "profile_unknown"),
            ("/posts", {"title": "Canary", "body": "Canary"}, "not_a_creator"),
        ):
            response = await client.post(path, json=body, headers=login(person.id))
            assert (response.status_code, response.json()["code"]) == (403, code)

    async def test_what_was_under_way_goes_with_the_next_look(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        create_post: CreatePost,
        login: Callable[[UUID], Headers],
    ) -> None:
        """Reviews and posts race with the event; whichever was first, in the end nothing is there."""
        person, other = await create_profile(committed_database), await create_profile(committed_database)
        posts = [await create_post(committed_database, other) for _ in range(5)]
        headers = login(person.id)
        calls: list[Awaitable[Any]] = [
            committed_client.post(f"/posts/{post.id}/reviews", json={"rating": 4, "text": "Canary"}, headers=headers)
            for post in posts
        ]
        calls.append(committed_client.post("/posts", json={"title": "Canary", "body": "B"}, headers=headers))
        await asyncio.gather(*calls[:3], delete(committed_database, person.id), *calls[3:])
        async with committed_database.transaction() as session:
            # As a request that began before and ended after the event would leave it.
            session.add(Post(creator_id=person.id, title="Canary", body="late"))
        await forget_late(committed_database)
        async with committed_database.transaction() as session:
            assert await session.scalar(select(func.count()).where(Post.creator_id == person.id)) == 0
            texts = set(await session.scalars(select(PostReview.text).where(PostReview.reviewer_id == person.id)))
        assert texts <= {""}

    async def test_looks_for_an_hour(
        self, database: RolledBackDatabase, person: Creator, create_post: CreatePost
    ) -> None:
        """Each look leaves the moment of the first one, or it would never end."""
        await delete(database, person.id)
        async with database.transaction() as session:
            await session.execute(update(Creator).values(hidden_at=Creator.hidden_at - timedelta(hours=2)))
        late = await create_post(database, person)
        await forget_late(database)
        async with database.transaction() as session:
            assert await session.get(Post, late.id) is not None
