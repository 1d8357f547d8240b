"""A client that takes 0.05 ms a request: httpx takes a whole one, of the cores that are measured."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self, cast
from urllib.parse import urlencode

from embedded.ports import LOOPBACK

LENGTH = b"content-length: "


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    def expect(self, status: int = HTTPStatus.OK) -> Self:
        """Raises RuntimeError: a figure of refusals would be a good one."""
        if self.status != status:
            raise RuntimeError(f"{self.status} instead of {status}: {self.body[:300]!r}")
        return self


class Connection(asyncio.Protocol):
    """One that is kept alive, for one request at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or self._answer is None or self._answer.done():
            return
        _, found, rest = head.lower().partition(LENGTH)
        if len(body) >= (int(rest.partition(b"\r\n")[0]) if found else 0):
            self._received.clear()
            self._answer.set_result(Answer(int(head[9:12]), bytes(body)))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed in the middle of a request"))

    async def get(self, path: str, token: str | None = None) -> Answer:
        return await self._send(f"GET {path} HTTP/1.1\r\nhost: bench\r\n{authorize(token)}\r\n".encode())

    async def post(self, path: str, form: Mapping[str, Any], token: str | None = None) -> Answer:
        body = urlencode(form)
        kind = "content-type: application/x-www-form-urlencoded"
        head = f"POST {path} HTTP/1.1\r\nhost: bench\r\n{kind}\r\ncontent-length: {len(body)}\r\n{authorize(token)}\r\n"
        return await self._send(f"{head}{body}".encode())

    def close(self) -> None:
        self._transport.close()

    async def _send(self, request: bytes) -> Answer:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer


def authorize(token: str | None) -> str:
    return "" if token is None else f"authorization: Bearer {token}\r\n"


@asynccontextmanager
async def connect(port: int, count: int = 1) -> AsyncIterator[list[Connection]]:
    loop = asyncio.get_running_loop()
    connections = [(await loop.create_connection(Connection, LOOPBACK, port))[1] for _ in range(count)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()
