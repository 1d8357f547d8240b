"""Many callers, one fetch."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from chassis.context import bind_context, get_request_id, get_traceparent, remaining_seconds
from chassis.http.exceptions import FailureReason, UpstreamUnavailableError

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Callers that come while a fetch is under way share its result, or its error.

    The fetch belongs to none of them: it outlives a caller who goes away, and no caller's deadline cuts it short.
    """

    def __init__(self, target: str, fetch: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._target = target
        self._fetch = fetch
        self._task: asyncio.Task[T] | None = None

    @property
    def is_active(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self) -> asyncio.Task[T]:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._fetch_detached())
            self._task.add_done_callback(_retrieve_error)
        return self._task

    async def run(self) -> T:
        """Raises what the fetch raises, and UpstreamUnavailableError when the caller's deadline passes first."""
        try:
            async with asyncio.timeout(remaining_seconds()):
                return await asyncio.shield(self.start())
        except TimeoutError as error:
            raise UpstreamUnavailableError(self._target, FailureReason.DEADLINE) from error

    async def _fetch_detached(self) -> T:
        with bind_context(request_id=get_request_id(), traceparent=get_traceparent()):
            return await self._fetch()


def _retrieve_error(task: asyncio.Task[Any]) -> None:
    # asyncio complains about an error that nobody waited for; those who did have their own copy.
    if not task.cancelled():
        task.exception()
