import asyncio
import gc

import pytest

from chassis.context import bind_context, get_request_id, remaining_seconds
from chassis.http.exceptions import FailureReason, UpstreamUnavailableError
from chassis.http.single_flight import SingleFlight


class Fetch:
    """A fetch that waits until the test lets it land."""

    def __init__(self) -> None:
        self.calls = 0
        self.begun = asyncio.Event()
        self.landing = asyncio.Event()
        self.error: Exception | None = None
        self.seen: list[tuple[str | None, float | None]] = []

    async def __call__(self) -> int:
        self.calls += 1
        self.seen.append((get_request_id(), remaining_seconds()))
        self.begun.set()
        await self.landing.wait()
        if self.error is not None:
            raise self.error
        return self.calls


@pytest.fixture
def fetch() -> Fetch:
    return Fetch()


@pytest.fixture
def flight(fetch: Fetch) -> SingleFlight[int]:
    return SingleFlight("auth", fetch)


class TestRun:
    async def test_shared(self, flight: SingleFlight[int], fetch: Fetch) -> None:
        callers = [asyncio.create_task(flight.run()) for _ in range(10)]
        await fetch.begun.wait()
        assert flight.is_active
        fetch.landing.set()

        assert await asyncio.gather(*callers) == [1] * 10
        assert await flight.run() == 2

    async def test_caller_goes_away(self, flight: SingleFlight[int], fetch: Fetch) -> None:
        first, second = (asyncio.create_task(flight.run()) for _ in range(2))
        await fetch.begun.wait()
        first.cancel()
        await asyncio.wait([first])
        fetch.landing.set()

        assert first.cancelled()
        assert await second == 1

    async def test_error_is_shared_and_not_kept(self, flight: SingleFlight[int], fetch: Fetch) -> None:
        fetch.error = LookupError("none")
        fetch.landing.set()

        assert all(
            isinstance(result, LookupError)
            for result in await asyncio.gather(*(flight.run() for _ in range(3)), return_exceptions=True)
        )
        assert fetch.calls == 1
        fetch.error = None
        assert await flight.run() == 2

    async def test_error_that_nobody_waits_for(self, fetch: Fetch) -> None:
        """The loop would report it when the task is collected."""
        fetch.error = LookupError("none")
        fetch.landing.set()
        reports: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))

        # Nothing may keep the task alive: no fixture, and not the traceback of the error.
        flight = SingleFlight("auth", fetch)
        await asyncio.wait([flight.start()])
        del flight
        fetch.error = None
        gc.collect()

        assert reports == []

    async def test_deadline_of_a_caller(self, flight: SingleFlight[int], fetch: Fetch) -> None:
        with bind_context(request_id="request-0001", seconds=0.05), pytest.raises(UpstreamUnavailableError) as caught:
            await flight.run()

        assert caught.value.reason is FailureReason.DEADLINE
        assert fetch.seen == [("request-0001", None)]
        assert flight.is_active
        fetch.landing.set()
        assert await flight.run() == 1
