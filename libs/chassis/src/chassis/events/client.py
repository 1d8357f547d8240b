"""The feed of another service, read over REST."""

from typing import Protocol

from pydantic import ValidationError

from chassis.events.position import Position
from chassis.events.schemas import ANSWER_SECONDS, MAX_EVENTS, MAX_WAIT_SECONDS, FeedPage
from chassis.http.client import ServiceClient
from chassis.http.exceptions import FailureReason, UpstreamUnavailableError

FEED_PATH = "/internal/events"
# The answer's own time, beside what is kept of the deadline on the other side.
TIMEOUT_MARGIN_SECONDS = ANSWER_SECONDS + 2.0


class EventFeed(Protocol):
    async def get_events(self, after: Position) -> FeedPage:
        """Wait a while for what comes after this place. Raises UpstreamError."""
        ...


class FeedClient:
    """`client` is this service's client of the other; its token needs the scope `events:read`."""

    def __init__(
        self, client: ServiceClient, *, limit: int = MAX_EVENTS, wait_seconds: float = MAX_WAIT_SECONDS
    ) -> None:
        self._client = client
        self._limit = limit
        self._wait_seconds = wait_seconds

    async def get_events(self, after: Position) -> FeedPage:
        answer = await self._client.get_json(
            FEED_PATH,
            params={"after": str(after), "limit": self._limit, "wait": self._wait_seconds},
            timeout=self._wait_seconds + TIMEOUT_MARGIN_SECONDS,
        )
        try:
            return FeedPage.model_validate(answer)
        except ValidationError as error:
            raise UpstreamUnavailableError(self._client.target, FailureReason.MALFORMED) from error
