"""The client against real sockets: what a server can do to it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.context import bind_context
from chassis.http.client import ServiceClient
from chassis.http.exceptions import FailureReason, UpstreamUnavailableError
from chassis.http.policy import ClientPolicy
from chassis.http.sync import SyncServiceClient
from chassis.testing.polling import wait_until

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
NO_RETRY = ClientPolicy(max_retries=0)


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await read_to_end(reader)


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never silent for long, never done: each read ends in time, the answer does not."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    hung_up = asyncio.ensure_future(read_to_end(reader))
    while not hung_up.done():
        writer.write(b"x")
        await asyncio.wait([hung_up], timeout=0.02)


async def read_to_end(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"220 smtp.example ESMTP\r\n")
    writer.close()


def create_url(address: tuple[str, int]) -> str:
    return f"http://{address[0]}:{address[1]}"


@contextlib.asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield create_url(server.sockets[0].getsockname())
    finally:
        server.close()


async def fail(base_url: str, *, deadline: float | None = None, limit: float = 2.0) -> UpstreamUnavailableError:
    async with ServiceClient("ships", base_url, policy=NO_RETRY) as client:
        with bind_context(seconds=deadline), pytest.raises(UpstreamUnavailableError) as caught:
            await client.request("GET", "/ships", timeout=limit)
    return caught.value


async def read_started(server: uvicorn.Server) -> bool:
    return server.started


class TestFaults:
    async def test_server_hangs(self) -> None:
        async with serve(hang) as url:
            started_at = time.monotonic()
            error = await fail(url, limit=0.1)

        assert error.reason is FailureReason.TIMEOUT
        assert time.monotonic() - started_at < 1.0

    async def test_deadline_is_shorter_than_the_timeout(self) -> None:
        async with serve(hang) as url:
            started_at = time.monotonic()
            error = await fail(url, deadline=0.15, limit=30.0)

        assert error.reason is FailureReason.TIMEOUT
        assert time.monotonic() - started_at < 1.0

    async def test_server_drips(self) -> None:
        async with serve(drip) as url:
            error = await fail(url, limit=0.15)

        assert error.reason is FailureReason.TIMEOUT

    async def test_server_resets(self) -> None:
        async with serve(reset) as url:
            assert (await fail(url)).reason is FailureReason.DISCONNECT

    async def test_not_http(self) -> None:
        async with serve(babble) as url:
            assert (await fail(url)).reason is FailureReason.DISCONNECT

    async def test_nobody_listens(self) -> None:
        async with serve(hang) as url:
            pass

        assert (await fail(url)).reason is FailureReason.CONNECT

    async def test_pool_is_full(self) -> None:
        policy = ClientPolicy(max_retries=0, max_connections=1, connect_timeout=0.05)
        async with serve(hang) as url, ServiceClient("ships", url, policy=policy) as client:
            results = await asyncio.gather(
                client.request("GET", "/ships", timeout=0.3),
                client.request("GET", "/ships", timeout=0.3),
                return_exceptions=True,
            )

        reasons = {error.reason for error in results if isinstance(error, UpstreamUnavailableError)}
        assert reasons == {FailureReason.TIMEOUT, FailureReason.POOL_FULL}

    async def test_caller_goes_away(self) -> None:
        """A cancelled call gives its connection back: with a pool of one, the next call would find none."""
        policy = ClientPolicy(max_retries=0, max_connections=1, connect_timeout=0.2)
        async with serve(hang) as url, ServiceClient("ships", url, policy=policy) as client:
            for _ in range(5):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.request("GET", "/ships"), 0.05)
            with pytest.raises(UpstreamUnavailableError) as caught:
                await client.request("GET", "/ships", timeout=0.1)

        assert caught.value.reason is FailureReason.TIMEOUT


class TestRealServer:
    @pytest.fixture
    async def base_url(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
        async def echo(request: Request) -> Response:
            names = ("x-request-id", "traceparent", "x-deadline-ms", "content-type")
            body = (await request.body()).decode()
            return JSONResponse({"headers": {name: request.headers.get(name) for name in names}, "body": body})

        # A proxy of the environment is not for calls between services.
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        app = Starlette(routes=[Route("/echo", echo, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", loop="none"))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        task = asyncio.create_task(server.serve())
        await wait_until(lambda: read_started(server))
        yield create_url(server.servers[0].sockets[0].getsockname())
        server.should_exit = True
        await task

    async def test_async(self, base_url: str) -> None:
        async with ServiceClient("echo", base_url) as client:
            with bind_context(request_id="request-0001", seconds=5):
                answer = await client.post_json("/echo", json={"a": 1})

        assert answer["body"] == '{"a":1}'
        assert answer["headers"]["x-request-id"] == "request-0001"
        assert answer["headers"]["x-deadline-ms"] == "2000"
        assert answer["headers"]["content-type"] == "application/json"

    async def test_sync(self, base_url: str) -> None:
        def call() -> dict[str, str]:
            with SyncServiceClient("echo", base_url) as client:
                answer: dict[str, str] = client.post_json("/echo", json={"a": 1})
                return answer

        assert (await asyncio.to_thread(call))["body"] == '{"a":1}'
