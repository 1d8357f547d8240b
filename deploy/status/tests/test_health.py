"""`/healthz`: one answer for all services, in time, whatever each of them does."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from status.health import CHECK_SECONDS, ServiceHealth, State, check_service, check_services

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


class TestCheckServices:
    async def test_all_at_once_and_in_time(self) -> None:
        async def hang(_: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

        started = time.monotonic()
        async with httpx.AsyncClient(transport=httpx.MockTransport(hang)) as client:
            healths = await check_services(client, {name: f"http://{name}" for name in "abcde"})

        assert time.monotonic() - started < 2 * CHECK_SECONDS
        assert [health.state for health in healths] == [State.UNREACHABLE] * 5


class TestCheckService:
    @pytest.mark.parametrize("content", [b"not json", b"[]", b'{"failing": "all"}', b""])
    async def test_answer_of_another_shape(self, content: bytes) -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(500, content=content))
        async with httpx.AsyncClient(transport=transport) as client:
            health = await check_service(client, "auth", "http://auth:8000/")

        assert (health.state, health.failing, health.description) == (State.UNAVAILABLE, (), "Not ready")

    async def test_nobody_there(self) -> None:
        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
            health = await check_service(client, "auth", "http://auth:8000")

        assert health == ServiceHealth("auth", State.UNREACHABLE)
        assert health.description == "No answer"
