"""The projection of profiles: events twice, out of order, and after a look by REST."""

from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import TypeAdapter

from chassis.contracts.accounts import CreatorActivated, UserConfirmed, UserRegistered
from chassis.contracts.base import Event, EventEnvelope
from chassis.database.engine import Database
from chassis.events.consumer import Consumer
from chassis.events.position import Position
from chassis.events.schemas import FeedPage
from chassis.testing.databases import RolledBackDatabase
from posts.creators.events import HANDLERS
from posts.creators.models import Creator

USER_ID = UUID("01980000-0000-7000-8000-000000000001")
REGISTERED = UserRegistered(
    user_id=USER_ID,
    email="ada@example.com",
    username="ada",
    first_name="Ada",
    last_name="Lund",
    confirmation_id=uuid4(),
)
ACTIVATED = CreatorActivated(user_id=USER_ID, username="ada.writes", first_name="Ada", last_name="Lund")
CONFIRMED = UserConfirmed(user_id=USER_ID)


def wrap(event: Event, seq: int, place: int) -> EventEnvelope:
    return TypeAdapter(EventEnvelope).validate_python(
        {
            "event_id": uuid4(),
            "type": event.type,
            "version": event.version,
            "aggregate_id": USER_ID,
            "aggregate_seq": seq,
            "payload": event.model_dump(mode="json"),
            "traceparent": None,
            "created_at": "2026-11-22T12:00:00Z",
            "cursor": f"1:{place}",
        }
    )


class StoredFeed:
    """A feed that gives the same events for every cursor below their end."""

    def __init__(self, *events: EventEnvelope) -> None:
        self._events = list(events)

    async def get_events(self, after: Position) -> FeedPage:
        items = [event for event in self._events if Position.parse(event.cursor) > after]
        return FeedPage(items=items, next_cursor=items[-1].cursor if items else str(after))


async def apply(database: Database, event: Event, seq: int) -> None:
    async with database.transaction() as session:
        await HANDLERS[type(event)](session, event, wrap(event, seq, seq))


async def get_creator(database: Database) -> dict[str, Any]:
    async with database.transaction() as session:
        creator = await session.get_one(Creator, USER_ID, populate_existing=True)
        return {"username": creator.username, "is_creator": creator.is_creator, "seq": creator.profile_seq}


class TestHandlers:
    async def test_valid(self, database: RolledBackDatabase) -> None:
        await apply(database, REGISTERED, 1)
        assert await get_creator(database) == {"username": "ada", "is_creator": False, "seq": 1}

        await apply(database, ACTIVATED, 3)
        assert await get_creator(database) == {"username": "ada.writes", "is_creator": True, "seq": 3}

    @pytest.mark.parametrize("order", list(permutations([(REGISTERED, 1), (ACTIVATED, 3), (REGISTERED, 1)])))
    async def test_twice_and_out_of_order(self, database: RolledBackDatabase, order: list[tuple[Event, int]]) -> None:
        for event, seq in order:
            await apply(database, event, seq)

        assert await get_creator(database) == {"username": "ada.writes", "is_creator": True, "seq": 3}

    async def test_after_a_look_by_rest(self, database: RolledBackDatabase) -> None:
        """What auth answered meanwhile is not taken back by the older event."""
        async with database.transaction() as session:
            session.add(
                Creator(id=USER_ID, username="?", first_name="A", last_name="L", is_creator=True, profile_seq=0)
            )
        await apply(database, REGISTERED, 1)
        assert await get_creator(database) == {"username": "ada", "is_creator": True, "seq": 1}


class TestConsumer:
    async def test_valid(self, committed_database: Database) -> None:
        feed = StoredFeed(wrap(REGISTERED, 1, 1), wrap(CONFIRMED, 2, 2), wrap(ACTIVATED, 3, 3))
        for _ in range(2):
            consumer = Consumer(committed_database, feed, HANDLERS, name="posts", feed_name="auth")
            await consumer.consume_page()

        assert await get_creator(committed_database) == {"username": "ada.writes", "is_creator": True, "seq": 3}
