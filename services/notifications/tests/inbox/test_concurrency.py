"""Several connections, real commits: the count is exact whatever happens at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select

from chassis.contracts.accounts import UserRegistered
from chassis.contracts.posts import CreatorFollowed, PostPublished
from chassis.database.engine import Database
from notifications.inbox.models import Notification

Headers = dict[str, str]
Login = Callable[[UUID], Headers]
Apply = Callable[..., Awaitable[None]]
POSTS = 12


async def count_unread(client: httpx.AsyncClient, headers: Headers) -> int:
    response = await client.get("/notifications/unread-count", headers=headers)
    assert response.status_code == 200
    return int(response.json()["unread_count"])


class TestGetUnreadCount:
    async def test_while_posts_arrive_and_are_read(
        self, committed_client: httpx.AsyncClient, committed_database: Database, apply: Apply, login: Login
    ) -> None:
        creator_id, reader_id = uuid4(), uuid4()
        headers = login(reader_id)
        await apply(CreatorFollowed(creator_id=creator_id, follower_id=reader_id), to=committed_database)
        posts = [
            PostPublished(post_id=uuid4(), creator_id=creator_id, title=f"No. {n}", excerpt="") for n in range(POSTS)
        ]
        for post in posts[: POSTS // 2]:
            await apply(post, to=committed_database)
        async with committed_database.transaction() as session:
            ids = list(await session.scalars(select(Notification.id)))
        # Each is read three times at once, while the other half arrives, each twice.
        reads = [committed_client.put(f"/notifications/{row}/read", headers=headers) for row in ids * 3]
        arrivals = [apply(post, to=committed_database) for post in posts[POSTS // 2 :] * 2]
        answers, _ = await asyncio.gather(asyncio.gather(*reads), asyncio.gather(*arrivals))
        assert {answer.status_code for answer in answers} == {204}
        assert await count_unread(committed_client, headers) == POSTS // 2

    async def test_mark_all_at_once(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        apply: Apply,
        login: Login,
        register: Callable[..., UserRegistered],
    ) -> None:
        event = register()
        await apply(event, to=committed_database)
        headers = login(event.user_id)
        marks = [committed_client.put("/notifications/read", headers=headers) for _ in range(8)]
        answers = await asyncio.gather(*marks)
        assert {answer.status_code for answer in answers} == {204}
        assert await count_unread(committed_client, headers) == 0
