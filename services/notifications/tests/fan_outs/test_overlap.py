"""The feeds of auth and posts are applied at the same time, by transactions that do not see one another's changes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.contracts.accounts import UserConfirmed, UserRegistered
from chassis.contracts.base import Event
from chassis.contracts.posts import CreatorFollowed, PostPublished, ReviewCreated
from chassis.database.engine import Database
from chassis.testing.events import apply_event
from chassis.testing.polling import wait_until
from notifications.background import AUTH_HANDLERS, POSTS_HANDLERS
from notifications.deliveries.models import DeliveryEmail

HANDLERS = {**AUTH_HANDLERS, **POSTS_HANDLERS}
WAITING = text("select count(*) from pg_locks where locktype = 'advisory' and not granted and database = "
               "(select oid from pg_database where datname = current_database())")  # fmt: skip


async def apply_overlapping(database: Database, first: Event, second: Event) -> None:
    """`second` begins when the effects of `first` are there, and not yet committed."""

    async def apply_second() -> None:
        async with database.transaction() as session:
            await apply_event(session, HANDLERS, second, aggregate_seq=3)

    async def count_waiting() -> int:
        async with database.transaction() as session:
            return await session.scalar(WAITING) or 0

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(database.transaction())
        await apply_event(session, HANDLERS, first, aggregate_seq=3)
        applying = asyncio.create_task(apply_second())
        await wait_until(count_waiting, seconds=1.5)
    await applying


@pytest.mark.parametrize("order", [1, -1], ids=["auth first", "posts first"])
@pytest.mark.parametrize("kind", ["post_published", "review_created"])
@pytest.mark.parametrize("news", ["registered", "confirmed"])
async def test_no_mail_is_lost_between_two_feeds(
    committed_database: Database,
    register: Callable[..., UserRegistered],
    apply: Callable[..., Awaitable[None]],
    count_rows: Callable[..., Awaitable[int]],
    order: int,
    kind: str,
    news: str,
) -> None:
    reader, creator_id = register(), uuid4()
    confirmed = UserConfirmed(user_id=reader.user_id)
    known, new = (confirmed, reader) if news == "registered" else (reader, confirmed)
    await apply(known, to=committed_database)
    await apply(CreatorFollowed(creator_id=creator_id, follower_id=reader.user_id), to=committed_database)
    told: Event = PostPublished(post_id=uuid4(), creator_id=creator_id, title="On rivers", excerpt="")
    if kind == "review_created":
        told = ReviewCreated(
            review_id=uuid4(),
            post_id=uuid4(),
            post_title="On rivers",
            creator_id=reader.user_id,
            reviewer_id=uuid4(),
            rating=4,
        )
    await apply_overlapping(committed_database, *[new, told][::order])
    assert await count_rows(committed_database, DeliveryEmail, DeliveryEmail.kind == kind) == 1
