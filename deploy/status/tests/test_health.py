"""`/healthz`: one answer for all services, in time, whatever each of them does."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from status import health
from status.health import CHECK_SECONDS, HealthChecks, ServiceHealth, State, check_service, check_services

ClientFactory = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def answer_well(request: httpx.Request) -> httpx.Response:
    assert request.url.path == "/readyz"
    return httpx.Response(200, json={"status": "ok"})


def answer_posts_badly(request: httpx.Request) -> httpx.Response:
    if request.url.host == "posts":
        return httpx.Response(503, json={"status": "unavailable", "failing": ["database"]})
    return httpx.Response(200, json={"status": "ok"})


class TestReadHealthz:
    async def test_valid(self, open_status: ClientFactory) -> None:
        async with open_status(answer_well) as client:
            response = await client.get("/healthz")

        assert response.status_code == 200
        body = response.json()
        assert (body["status"], body["failing"]) == ("ok", [])
        assert {name: service["state"] for name, service in body["services"].items()} == {"auth": "ok", "posts": "ok"}

    async def test_unavailable_service_is_named(self, open_status: ClientFactory) -> None:
        async with open_status(answer_posts_badly) as client:
            response = await client.get("/healthz")

        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        body = response.json()
        assert (body["status"], body["failing"]) == ("unavailable", ["posts"])
        assert body["services"]["posts"] == {"state": "unavailable", "description": "Not ready: database"}

    async def test_is_never_stored(self, open_status: ClientFactory) -> None:
        async with open_status(answer_well) as client:
            response = await client.get("/healthz")

        assert response.headers["cache-control"] == "no-store"


class CountedServices:
    """One service that answers when it may, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()

    async def answer(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        await self.may_answer.wait()
        return httpx.Response(200)


class TestHealthChecks:
    async def test_many_at_once_are_one_check(self) -> None:
        service = CountedServices()
        async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as client:
            checks = HealthChecks(client, {"auth": "http://auth"})
            reading = [asyncio.create_task(checks.read()) for _ in range(50)]
            await asyncio.sleep(0)
            # The one who began it hangs up.
            reading[0].cancel()
            service.may_answer.set()
            answers = await asyncio.gather(*reading[1:])
            again = await checks.read()

        assert service.asked == 1
        assert {answer[0].state for answer in [*answers, again]} == {State.OK}

    async def test_is_asked_anew_when_the_answer_is_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "KEPT_SECONDS", 0)
        service = CountedServices()
        service.may_answer.set()
        async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as client:
            checks = HealthChecks(client, {"auth": "http://auth"})
            for _ in range(3):
                await checks.read()

        assert service.asked == 3

    async def test_close_while_one_is_under_way(self) -> None:
        service = CountedServices()
        async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as client:
            checks = HealthChecks(client, {"auth": "http://auth"})
            reading = asyncio.create_task(checks.read())
            await asyncio.sleep(0)
            await checks.close()
            with pytest.raises(asyncio.CancelledError):
                await reading

    async def test_both_addresses_share_it(self, open_status: ClientFactory) -> None:
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.host)
            return httpx.Response(200)

        async with open_status(answer) as client:
            for path in ("/healthz", "/", "/healthz"):
                assert (await client.get(path)).status_code == 200

        assert sorted(asked) == ["auth", "posts"]


class TestCheckServices:
    async def test_all_at_once_and_in_time(self) -> None:
        async def hang(_: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

        started = time.monotonic()
        async with httpx.AsyncClient(transport=httpx.MockTransport(hang)) as client:
            healths = await check_services(client, {name: f"http://{name}" for name in "abcde"})

        assert time.monotonic() - started < 2 * CHECK_SECONDS
        assert [found.state for found in healths] == [State.UNREACHABLE] * 5


class TestCheckService:
    @pytest.mark.parametrize("content", [b"not json", b"[]", b'{"failing": "all"}', b""])
    async def test_answer_of_another_shape(self, content: bytes) -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(500, content=content))
        async with httpx.AsyncClient(transport=transport) as client:
            found = await check_service(client, "auth", "http://auth:8000/")

        assert (found.state, found.failing, found.description) == (State.UNAVAILABLE, (), "Not ready")

    async def test_nobody_there(self) -> None:
        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
            found = await check_service(client, "auth", "http://auth:8000")

        assert found == ServiceHealth("auth", State.UNREACHABLE)
        assert found.description == "No answer"
