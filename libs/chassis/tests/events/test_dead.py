import uuid
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.base import EventEnvelope
from chassis.contracts.posts import PostPublished
from chassis.events.dead import delete_dead_event, list_dead_events, replay_dead_event
from chassis.events.exceptions import DeadEventMissingError, EventUnknownError, HandlerFailedError
from chassis.events.handlers import Handlers
from chassis.events.inbox import DeadEvent, InboxEvent
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.events import apply_event, create_envelope


async def write_effect(session: AsyncSession, event: PostPublished, envelope: EventEnvelope) -> None:
    await session.execute(
        text("insert into effect values (:id, :text)"), {"id": envelope.event_id, "text": event.title}
    )


async def refuse(*_: object) -> None:
    raise ValueError("still no good")


HANDLERS: Handlers = {PostPublished: write_effect}


def create_post() -> PostPublished:
    return PostPublished(post_id=uuid.uuid4(), creator_id=uuid.uuid4(), title="title", excerpt="")


async def park(database: RolledBackDatabase, event_type: str = "post.published") -> UUID:
    envelope = create_envelope(create_post()).model_copy(update={"type": event_type})
    async with database.transaction() as session:
        values = {"consumer": "tests", "event_id": envelope.event_id}
        session.add(DeadEvent(**values, envelope=envelope.model_dump(mode="json"), error="no good", attempts=5))
    return envelope.event_id


class TestReplayDeadEvent:
    async def test_valid(self, database: RolledBackDatabase) -> None:
        event_id = await park(database)
        async with database.transaction() as session:
            await replay_dead_event(session, HANDLERS, consumer="tests", event_id=event_id)
        async with database.transaction() as session:
            assert (await session.scalars(text("select event_id from effect"))).all() == [event_id]
            assert await list_dead_events(session) == []
            # So that the feed, replayed, does not apply it once more.
            assert (await session.scalars(select(InboxEvent.event_id))).all() == [event_id]

    async def test_failure_leaves_it_dead(self, database: RolledBackDatabase) -> None:
        event_id = await park(database)
        with pytest.raises(HandlerFailedError):
            async with database.transaction() as session:
                await replay_dead_event(session, {PostPublished: refuse}, consumer="tests", event_id=event_id)
        async with database.transaction() as session:
            assert [item.event_id for item in await list_dead_events(session)] == [event_id]

    async def test_type_that_is_still_unknown(self, database: RolledBackDatabase) -> None:
        event_id = await park(database, "post.exploded")
        with pytest.raises(EventUnknownError):
            async with database.transaction() as session:
                await replay_dead_event(session, HANDLERS, consumer="tests", event_id=event_id)

    async def test_not_found(self, database: RolledBackDatabase) -> None:
        event_id = await park(database)
        async with database.transaction() as session:
            with pytest.raises(DeadEventMissingError):
                await replay_dead_event(session, HANDLERS, consumer="others", event_id=event_id)


class TestDeleteDeadEvent:
    async def test_valid(self, database: RolledBackDatabase) -> None:
        event_id = await park(database)
        async with database.transaction() as session:
            await delete_dead_event(session, consumer="tests", event_id=event_id)
            assert await list_dead_events(session) == []

    async def test_not_found(self, database: RolledBackDatabase) -> None:
        async with database.transaction() as session:
            with pytest.raises(DeadEventMissingError):
                await delete_dead_event(session, consumer="tests", event_id=uuid.uuid4())


class TestApplyEvent:
    """The helper that services' tests use."""

    async def test_valid(self, database: RolledBackDatabase) -> None:
        async with database.transaction() as session:
            await apply_event(session, HANDLERS, create_post())
            assert (await session.scalars(text("select text from effect"))).all() == ["title"]
