"""Another service, played: for tests of clients, in the chassis and in the services."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import httpx

from chassis.http.policy import ClientPolicy

INSTANT = ClientPolicy(backoff_base=0.0)
"""The usual policy without pauses between attempts."""

Answer = Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True)
class SeenRequest:
    method: str
    path: str
    query: dict[str, str]
    headers: httpx.Headers
    body: bytes


class ScriptedUpstream:
    """Gives the scripted answers in order, the last one for ever, and keeps what it was asked.

    `backend` goes into ServiceClient and SyncServiceClient in place of sockets.
    """

    def __init__(self) -> None:
        self.requests: list[SeenRequest] = []
        self._answers: list[Answer] = []
        self.backend = httpx.MockTransport(self._handle)

    def answer(self, status: int = 200, json: Any = None, *, headers: dict[str, str] | None = None) -> Self:
        return self.answer_by(lambda _: httpx.Response(status, json=json, headers=headers))

    def answer_text(self, text: str, status: int = 200) -> Self:
        return self.answer_by(lambda _: httpx.Response(status, text=text))

    def fail(self, error: type[httpx.RequestError] = httpx.ConnectError) -> Self:
        def raise_error(request: httpx.Request) -> httpx.Response:
            raise error("scripted", request=request)

        return self.answer_by(raise_error)

    def answer_by(self, answer: Answer) -> Self:
        self._answers.append(answer)
        return self

    def clear(self) -> Self:
        """Forget the script and what was asked."""
        self._answers.clear()
        self.requests.clear()
        return self

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(
            SeenRequest(
                method=request.method,
                path=request.url.path,
                query=dict(request.url.params),
                headers=request.headers,
                body=request.content,
            )
        )
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer(request)
