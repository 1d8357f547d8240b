"""Several readers at once, and a creator who changes or deletes meanwhile, on real connections."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.polling import wait_until
from posts.creators.models import Creator
from posts.posts.exceptions import PostNotFoundError
from posts.posts.models import Post
from posts.posts.service import delete_post, lock_post
from posts.reviews.schemas import ReviewCreate
from posts.reviews.service import create_review

Headers = dict[str, str]
CreateProfile = Callable[..., Awaitable[Creator]]
CreatePost = Callable[..., Awaitable[Post]]
Login = Callable[[UUID], Headers]

REVIEW = {"rating": 4, "text": "Read it twice."}
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


class TestCreateReview:
    async def test_many_reviewers(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        create_post: CreatePost,
        login: Login,
    ) -> None:
        """No rating is lost, and no change of the creator in between. As many at once as the pool has connections."""
        creator = await create_profile(committed_database)
        post = await create_post(committed_database, creator)
        readers = [await create_profile(committed_database, is_creator=False) for _ in range(9)]
        ratings = [number % 5 + 1 for number in range(9)]
        url = f"/posts/{post.id}"
        responses = await asyncio.gather(
            *(
                committed_client.post(f"{url}/reviews", json=REVIEW | {"rating": rating}, headers=login(reader.id))
                for reader, rating in zip(readers, ratings, strict=True)
            ),
            committed_client.put(url, json={"title": "New", "body": "New."}, headers=login(creator.id)),
        )

        assert {response.status_code for response in responses} == {200, 201}
        read = (await committed_client.get(url)).json()
        assert read["rating"] == {"average": round(sum(ratings) / 9, 2), "count": 9}
        assert read["title"] == "New"

    async def test_one_reader_many_times(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        create_post: CreatePost,
        login: Login,
    ) -> None:
        post = await create_post(committed_database, await create_profile(committed_database))
        reader = await create_profile(committed_database, is_creator=False)
        calls = (
            committed_client.post(f"/posts/{post.id}/reviews", json=REVIEW, headers=login(reader.id)) for _ in range(6)
        )
        responses = await asyncio.gather(*calls)

        assert sorted(response.status_code for response in responses) == [201, 409, 409, 409, 409, 409]
        assert (await committed_client.get(f"/posts/{post.id}")).json()["rating"] == {"average": 4, "count": 1}
        async with committed_database.transaction() as session:
            assert len((await session.scalars(select(OutboxEvent))).all()) == 1


class TestDeletePost:
    async def test_under_reviews(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        create_post: CreatePost,
        login: Login,
    ) -> None:
        """Whoever is first: the deletion succeeds, and a review is in or finds no post."""
        creator = await create_profile(committed_database)
        readers = [login((await create_profile(committed_database, is_creator=False)).id) for _ in range(6)]
        for _ in range(5):
            url = f"/posts/{(await create_post(committed_database, creator)).id}"
            deleted, *reviewed = await asyncio.gather(
                committed_client.delete(url, headers=login(creator.id)),
                *(committed_client.post(f"{url}/reviews", json=REVIEW, headers=reader) for reader in readers),
            )

            assert deleted.status_code == 204
            assert {response.status_code for response in reviewed} <= {201, 404}

    async def test_under_a_review_that_waits(
        self,
        committed_database: Database,
        create_profile: CreateProfile,
        create_post: CreatePost,
    ) -> None:
        """It holds no lock on the post that the deletion would have to wait for."""
        post = await create_post(committed_database, await create_profile(committed_database))
        reader = await create_profile(committed_database, is_creator=False)

        async def review() -> None:
            async with committed_database.transaction() as session:
                await create_review(session, post, reader, ReviewCreate.model_validate(REVIEW))

        async def is_waiting() -> bool:
            return bool(await committed_database.reader.fetch_value(WAITING))

        async with committed_database.transaction() as session:
            held = await lock_post(session, post.id)
            assert held
            reviewing = asyncio.create_task(review())
            await wait_until(is_waiting)
            await delete_post(session, held)
        with pytest.raises(PostNotFoundError):
            await reviewing
