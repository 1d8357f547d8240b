"""What the gateway lets through, what it adds, and what it says when something is wrong."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from chassis.testing.polling import wait_until

KIB = 1024
MIB = 1024 * KIB


class Server(Protocol):
    """A server behind the gateway, of conftest.py."""

    begun: Counter[str]
    seen: Counter[str]
    may_go_on: Any

    def close(self) -> None: ...


class Gateway(Protocol):
    """The fixture of conftest.py."""

    log: Path
    servers: dict[str, Any]

    def start_service(self, name: str) -> Server: ...


def check_problem(response: httpx.Response, status: int, code: str) -> None:
    """The answer is a problem document as the services write it."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"/problems/{code.replace('_', '-')}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]


@asynccontextmanager
async def begin_body(
    port: int | None, path: str, size: int, *, sent: int
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A request that has sent so much of its body, and waits with the rest."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * sent)
        await writer.drain()
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


class TestRoutes:
    @pytest.mark.parametrize(
        ("path", "service", "inside"),
        [
            ("/", "status", "/"),
            ("/healthz", "status", "/healthz"),
            ("/static/status.css", "status", "/static/status.css"),
            ("/api/v1/auth/token", "auth", "/auth/token"),
            ("/api/v1/profiles", "auth", "/profiles"),
            ("/api/v1/profiles/me", "auth", "/profiles/me"),
            ("/api/v1/.well-known/jwks.json", "auth", "/.well-known/jwks.json"),
            ("/.well-known/oauth-authorization-server", "auth", "/.well-known/oauth-authorization-server"),
            ("/api/v1/auth/authorize?a=b%20c", "auth", "/auth/authorize?a=b%20c"),
            ("/api/v1/creators/1", "auth", "/creators/1"),
            ("/api/v1/creators/1/posts", "posts", "/creators/1/posts"),
            ("/api/v1/creators/1/followers/me", "posts", "/creators/1/followers/me"),
            ("/api/v1/posts", "posts", "/posts"),
            ("/api/v1/posts?limit=2&cursor=a%20b", "posts", "/posts?limit=2&cursor=a%20b"),
            ("/api/v1/posts/1/reviews", "posts", "/posts/1/reviews"),
            ("/api/v1/users/1/posts/2", "posts", "/users/1/posts/2"),
            ("/docs/auth/", "auth", "/docs/"),
            ("/docs/posts/assets/a.js", "posts", "/docs/assets/a.js"),
        ],
    )
    async def test_valid(self, client: httpx.AsyncClient, path: str, service: str, inside: str) -> None:
        echo = (await client.get(path)).json()

        assert (echo["service"], echo["path"]) == (service, inside)

    @pytest.mark.parametrize(
        "path",
        [
            "/nothing",
            "/.well-known/jwks.json",
            "/api/v1",
            "/api/v1/nothing",
            "/api/v1/users/1",
            "/internal/events",
            "/api/v1/internal/events",
            "/api/v1//internal/events",
            "/api/v1/posts/../internal/events",
            "/api/v1/posts/%2e%2e/internal/events",
            "/api/v1/posts/..%2finternal/events",
            "/metrics",
            "/api/v1/metrics",
            "/livez",
            "/readyz",
            "/api/v1/readyz",
            "/docs/nothing/",
        ],
    )
    async def test_not_found(self, client: httpx.AsyncClient, gateway: Gateway, path: str) -> None:
        # As bytes, for the client would tidy up the path.
        url = client.base_url.copy_with(raw_path=path.encode())

        check_problem(await client.get(url), 404, "not_found")
        assert not any("internal" in seen for server in gateway.servers.values() for seen in server.seen)

    async def test_docs_without_slash(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/docs/posts")

        assert (response.status_code, response.headers["location"]) == (308, "/docs/posts/")


class TestHeaders:
    @pytest.mark.parametrize("path", ["/api/v1/posts", "/nothing", "/"])
    async def test_every_answer_is_guarded(self, client: httpx.AsyncClient, path: str) -> None:
        headers = (await client.get(path)).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["x-frame-options"] == "DENY"
        assert not {"server", "via", "strict-transport-security"} & set(headers)

    async def test_what_a_service_says_stays(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/api/v1/posts/with-headers")

        assert response.headers.get_list("content-security-policy") == ["default-src 'self'"]

    async def test_request_id_is_made(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/api/v1/posts")

        assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["x-request-id"])
        assert response.json()["headers"]["X-Request-Id"] == response.headers["x-request-id"]

    async def test_request_id_is_kept(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/api/v1/posts", headers={"X-Request-ID": "edition:2026-11"})

        assert response.headers["x-request-id"] == "edition:2026-11"
        assert response.json()["headers"]["X-Request-Id"] == "edition:2026-11"

    @pytest.mark.parametrize("hostile", ["short", "two words", 'quote"quote', "x" * 129])
    async def test_hostile_request_id_is_replaced(self, client: httpx.AsyncClient, hostile: str) -> None:
        response = await client.get("/nothing", headers={"X-Request-ID": hostile})

        check_problem(response, 404, "not_found")
        assert response.headers["x-request-id"] != hostile

    async def test_hostile_request_id_beside_a_good_one(self, client: httpx.AsyncClient) -> None:
        for ids in (("good-request-1", 'a","x":"'), ('a","x":"', "good-request-1")):
            response = await client.get("/nothing", headers=[("X-Request-ID", text) for text in ids])

            check_problem(response, 404, "not_found")
            assert response.json()["request_id"] == response.headers["x-request-id"]
            assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["x-request-id"])

    async def test_only_the_gateway_says_who_calls(self, client: httpx.AsyncClient) -> None:
        forged = {
            "X-Forwarded-For": "6.6.6.6",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Prefix": "/evil",
            "X-Real-IP": "6.6.6.6",
            "Forwarded": "for=6.6.6.6",
            "X-User-Id": "1",
        }
        inside = (await client.get("/api/v1/posts", headers=forged)).json()["headers"]

        assert inside["X-Forwarded-For"] == "127.0.0.1"
        assert inside["X-Forwarded-Proto"] == "http"
        assert inside["X-Forwarded-Host"] == f"127.0.0.1:{client.base_url.port}"
        assert not {"X-Forwarded-Prefix", "X-Real-Ip", "Forwarded", "X-User-Id"} & set(inside)

    async def test_a_thousand_forged_addresses_are_one(self, client: httpx.AsyncClient) -> None:
        """So that they are one to the services' limits as well."""

        async def call(number: int) -> tuple[str, str | None, str | None]:
            forged = f"203.0.{number // 250}.{number % 250}"
            headers = {"X-Forwarded-For": f"{forged}, 10.0.0.1", "X-Real-IP": forged, "Forwarded": f"for={forged}"}
            inside = (await client.get("/api/v1/posts", headers=headers)).json()["headers"]
            return inside["X-Forwarded-For"], inside.get("X-Real-Ip"), inside.get("Forwarded")

        seen = set()
        for start in range(0, 1000, 100):
            seen |= set(await asyncio.gather(*(call(number) for number in range(start, start + 100))))

        assert seen == {("127.0.0.1", None, None)}

    async def test_tag_of_a_compressed_answer_is_understood(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/api/v1/posts/with-headers", headers={"Accept-Encoding": "gzip"})
        assert response.headers["content-encoding"] == "gzip"
        tag = response.headers["etag"]

        conditions = {"If-Match": tag, "If-None-Match": f'{tag}, "v0"'}
        inside = (await client.get("/api/v1/posts", headers=conditions)).json()["headers"]

        assert (inside["If-Match"], inside["If-None-Match"]) == ('"v1"', '"v1", "v0"')


class TestBodies:
    async def test_one_mebibyte(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/api/v1/posts", content=b"x" * MIB)).json()["length"] == MIB

    @pytest.mark.parametrize("size", [MIB + 1, 50 * MIB])
    async def test_too_large_is_read_to_its_end(self, client: httpx.AsyncClient, size: int) -> None:
        response = await client.post("/api/v1/posts/large", content=b"x" * size)

        assert response.status_code == 413
        assert (response.json()["service"], response.json()["path"]) == ("status", "/too-large")
        assert response.json()["length"] == size

    async def test_far_too_large_is_refused_at_once(self, client: httpx.AsyncClient) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        # The head alone: nothing of the body is waited for.
        writer.write(f"POST /api/v1/posts HTTP/1.1\r\nHost: x\r\nContent-Length: {65 * MIB}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()

        assert head.startswith(b"HTTP/1.1 413 ")
        assert b"application/problem+json" in head

    async def test_too_large_in_chunks(self, client: httpx.AsyncClient) -> None:
        async def send_chunks() -> AsyncIterator[bytes]:
            # Not much too large: a client that still pushes long after the answer may lose it with the connection.
            yield b"x" * MIB
            yield b"x" * 1024

        check_problem(await client.post("/api/v1/posts", content=send_chunks()), 413, "content_too_large")

    async def test_slow_one_is_held_back_only_while_it_is_small(
        self, client: httpx.AsyncClient, gateway: Gateway
    ) -> None:
        """What is held back takes memory of the gateway, for as long as a client likes to let it wait."""
        server, port = gateway.servers["posts"], client.base_url.port
        async with begin_body(port, "/api/v1/posts/small", 32 * KIB, sent=32 * KIB - 1) as (reader, writer):
            async with begin_body(port, "/api/v1/posts/big", MIB, sent=128 * KIB):

                async def has_begun() -> bool:
                    return bool(server.begun["/posts/big"] == 1)

                await wait_until(has_begun)
            assert server.begun["/posts/small"] == 0
            writer.write(b"x")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            assert server.seen["/posts/small"] == 1

    async def test_event_stream_leaves_at_once(self, client: httpx.AsyncClient, gateway: Gateway) -> None:
        async with client.stream("GET", "/api/v1/posts/streams") as response:
            lines = response.aiter_lines()
            assert await anext(lines) == "data: first"
            gateway.servers["posts"].may_go_on.set()
            assert [line async for line in lines if line] == ["data: second"]


class TestFailures:
    async def test_service_away(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/api/v1/notifications")

        check_problem(response, 503, "service_unavailable")
        assert response.headers["retry-after"] == "2"

    async def test_service_that_comes_back_is_waited_for(self, client: httpx.AsyncClient, gateway: Gateway) -> None:
        sending = asyncio.create_task(client.post("/api/v1/notifications", content=b"once"))
        await asyncio.sleep(0)
        server = gateway.start_service("notifications")
        try:
            assert (await sending).json()["length"] == 4
            assert server.seen["/notifications"] == 1
        finally:
            server.close()
            del gateway.servers["notifications"]

    @pytest.mark.parametrize(
        ("method", "headers", "times"),
        [("GET", {}, 2), ("POST", {"Idempotency-Key": "k"}, 2), ("POST", {}, 1), ("PUT", {}, 1)],
    )
    async def test_sent_again_only_where_it_does_no_harm(
        self, client: httpx.AsyncClient, gateway: Gateway, method: str, headers: dict[str, str], times: int
    ) -> None:
        path = f"/posts/breaks-once/{method}-{times}"

        response = await client.request(method, f"/api/v1{path}", headers=headers, content=b"a whole body")

        assert gateway.servers["posts"].seen[path] == times
        if times == 1:
            check_problem(response, 503, "service_unavailable")
        else:
            assert response.json()["length"] == len(b"a whole body")


class TestLog:
    async def test_names_the_request_and_no_secret(self, client: httpx.AsyncClient, gateway: Gateway) -> None:
        secrets = {"Authorization": "Bearer canary-1", "Cookie": "__Host-refresh_token=canary-2", "X-Other": "canary-3"}
        response = await client.get("/api/v1/auth/confirmation?token=canary-4&email=canary-5", headers=secrets)
        request_id = response.headers["x-request-id"]

        async def read_line() -> str | None:
            return next((line for line in gateway.log.read_text().splitlines() if request_id in line), None)

        line = await wait_until(read_line)
        entry = json.loads(line)
        assert entry["request_id"] == request_id
        assert (entry["status"], entry["request"]["uri"]) == (200, "/api/v1/auth/confirmation?…")
        assert "canary" not in line
