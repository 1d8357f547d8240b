"""What can go wrong in a call to another service. The transport translates lower failures once, into these.

UpstreamError
├── UpstreamUnavailableError   also a ServiceUnavailableError: left alone it is a 503 with Retry-After
└── UpstreamRejectedError      the other side answered 4xx: the caller decides what that means
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from chassis.problems import ServiceUnavailableError


class FailureReason(StrEnum):
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"
    MALFORMED = "malformed"
    POOL_FULL = "pool_full"
    BREAKER_OPEN = "breaker_open"
    DEADLINE = "deadline"
    CREDENTIALS = "credentials"


class UpstreamError(Exception):
    """Base: a call to another service did not give what was asked for."""

    target: str


class UpstreamUnavailableError(UpstreamError, ServiceUnavailableError):
    """The service did not answer, or not sensibly. Which one and why goes to the log, never to the client."""

    def __init__(
        self, target: str, reason: FailureReason, *, status: int | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__("Another service that this needs is away; try again later.", retry_after=retry_after or 1)
        self.target = target
        self.reason = reason
        self.upstream_status = status
        self.retry_after = retry_after

    def __str__(self) -> str:
        status = "" if self.upstream_status is None else f" {self.upstream_status}"
        return f"{self.target}: {self.reason}{status}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors of tasks cross from the worker's child to its parent; the default rebuilds them from the message.
        create = partial(type(self), status=self.upstream_status, retry_after=self.retry_after)
        return create, (self.target, self.reason)


class UpstreamRejectedError(UpstreamError):
    """4xx with its problem document: `code` is the problem's, None when the body was no problem."""

    def __init__(self, target: str, status: int, problem: Mapping[str, Any]) -> None:
        code = problem.get("code")
        self.target = target
        self.status = status
        self.problem = dict(problem)
        self.code = code if isinstance(code, str) else None
        super().__init__(f"{target}: {status} {self.code or ''}".rstrip())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.target, self.status, self.problem)
