"""A feed without HTTP. Apart from `events`, since it brings the outbox's table into the models."""

from pydantic import TypeAdapter

from chassis.contracts.base import EventEnvelope
from chassis.database.engine import Database
from chassis.events.feed import FEED_QUERY
from chassis.events.position import Position
from chassis.events.schemas import MAX_EVENTS, FeedPage

_ITEMS = TypeAdapter(list[EventEnvelope])


class LocalFeed:
    """The feed of a database, read directly; it never waits."""

    def __init__(self, database: Database, limit: int = MAX_EVENTS) -> None:
        self._database = database
        self._limit = limit

    async def get_events(self, after: Position) -> FeedPage:
        row = await self._database.reader.fetch_row(
            FEED_QUERY, after_xid=str(after.xid), after_id=after.id, page_limit=self._limit
        )
        assert row is not None
        return FeedPage(items=_ITEMS.validate_json(row["items"]), next_cursor=row["next_cursor"] or str(after))
