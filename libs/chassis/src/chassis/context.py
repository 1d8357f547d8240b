"""What travels with a request, an event and a task: request id, W3C trace context, deadline."""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
REQUEST_ID = re.compile(r"^[A-Za-z0-9._:-]{8,128}$")

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def get_request_id() -> str | None:
    return _request_id.get()


def get_traceparent() -> str | None:
    return _traceparent.get()


def remaining_seconds() -> float | None:
    """Seconds until the caller stops waiting; None when nobody waits."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - time.monotonic()


def create_request_id() -> str:
    return secrets.token_hex(16)


def create_traceparent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def create_child_traceparent(parent: str | None) -> str:
    """The same trace, a new span: what a call to another service carries."""
    if parent is None or not TRACEPARENT.match(parent):
        return create_traceparent()
    version, trace_id, _, flags = parent.split("-")
    return f"{version}-{trace_id}-{secrets.token_hex(8)}-{flags}"


@contextmanager
def bind_context(
    *, request_id: str | None = None, traceparent: str | None = None, seconds: float | None = None
) -> Iterator[None]:
    """Bind the context for one request, event or task; what is malformed or absent is made anew."""
    request_id = request_id if request_id and REQUEST_ID.match(request_id) else create_request_id()
    traceparent = traceparent if traceparent and TRACEPARENT.match(traceparent) else create_traceparent()
    tokens = (
        _request_id.set(request_id),
        _traceparent.set(traceparent),
        _deadline.set(None if seconds is None else time.monotonic() + seconds),
    )
    try:
        with structlog.contextvars.bound_contextvars(request_id=request_id, trace_id=traceparent.split("-")[1]):
            yield
    finally:
        _request_id.reset(tokens[0])
        _traceparent.reset(tokens[1])
        _deadline.reset(tokens[2])
