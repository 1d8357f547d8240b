import uuid
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.base import EventEnvelope
from chassis.contracts.posts import PostPublished
from chassis.database.engine import Database
from chassis.events.commands import drop_dead, list_dead, replay_dead
from chassis.events.exceptions import DeadEventMissingError, DeadEventStaysError
from chassis.events.handlers import Handlers
from chassis.events.inbox import DeadEvent
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.events import create_envelope


async def write_effect(session: AsyncSession, event: PostPublished, envelope: EventEnvelope) -> None:
    await session.execute(
        text("insert into effect values (:id, :text)"), {"id": envelope.event_id, "text": event.title}
    )


async def refuse(*_: object) -> None:
    raise ValueError("still no good")


async def divide(session: AsyncSession, *_: object) -> None:
    await session.execute(text("select 1 / 0"))


HANDLERS: dict[str, Handlers] = {"tests": {PostPublished: write_effect}}


async def park(database: Database, *consumers: str) -> UUID:
    event = PostPublished(post_id=uuid.uuid4(), creator_id=uuid.uuid4(), title="title", excerpt="")
    envelope = create_envelope(event)
    values: dict[str, Any] = {"event_id": envelope.event_id, "envelope": envelope.model_dump(mode="json")}
    async with database.transaction() as session:
        session.add_all(
            DeadEvent(**values, consumer=consumer, error="no good\nat all", attempts=5) for consumer in consumers
        )
    return envelope.event_id


class TestListDead:
    async def test_valid(self, database: RolledBackDatabase) -> None:
        event_id = await park(database, "tests")
        (line,) = await list_dead(database)
        assert line.startswith(f"{event_id}  tests  post.published  20")
        assert line.endswith("Z  5 attempts  no good")

    async def test_none(self, database: RolledBackDatabase) -> None:
        assert await list_dead(database) == ["no dead events"]


class TestReplayDead:
    async def test_valid(self, database: RolledBackDatabase) -> None:
        event_id = await park(database, "tests")
        assert await replay_dead(database, HANDLERS, event_id) == [f"tests has applied {event_id}"]
        async with database.transaction() as session:
            assert (await session.scalars(text("select text from effect"))).all() == ["title"]
        assert await list_dead(database) == ["no dead events"]

    @pytest.mark.parametrize(("handler", "message"), [(refuse, "still no good"), (divide, "division by zero")])
    async def test_handler_that_still_fails(self, database: RolledBackDatabase, handler: Any, message: str) -> None:
        event_id = await park(database, "tests")
        with pytest.raises(DeadEventStaysError, match=message):
            await replay_dead(database, {"tests": {PostPublished: handler}}, event_id)
        assert str(event_id) in (await list_dead(database))[0]

    async def test_consumer_that_is_gone(self, database: RolledBackDatabase) -> None:
        event_id = await park(database, "others")
        with pytest.raises(DeadEventStaysError, match="others is no consumer"):
            await replay_dead(database, HANDLERS, event_id)

    async def test_not_found(self, database: RolledBackDatabase) -> None:
        with pytest.raises(DeadEventMissingError, match="there is no dead event"):
            await replay_dead(database, HANDLERS, uuid.uuid4())


class TestDropDead:
    async def test_valid(self, database: RolledBackDatabase) -> None:
        event_id = await park(database, "others", "tests")
        kept = await park(database, "tests")
        assert await drop_dead(database, event_id) == [f"{name} has dropped {event_id}" for name in ("others", "tests")]
        assert [line.split()[0] for line in await list_dead(database)] == [str(kept)]

    async def test_not_found(self, database: RolledBackDatabase) -> None:
        with pytest.raises(DeadEventMissingError):
            await drop_dead(database, uuid.uuid4())
