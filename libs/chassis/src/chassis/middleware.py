"""Pure ASGI middleware: context, access log, metrics, security headers, body limit.

One class, because each layer costs every request, and none of these is of use without the others.
"""

import time
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.context import bind_context, get_request_id
from chassis.error_handlers import create_problem_response, send_problem
from chassis.logs import get_logger
from chassis.metrics import REQUEST_SECONDS, REQUESTS_ACTIVE, UNEXPECTED_ERRORS
from chassis.problems import ContentTooLargeError, create_problem

MAX_BODY_BYTES = 1024 * 1024
DEFAULT_DEADLINE_SECONDS = 10.0
MAX_DEADLINE_SECONDS = 60.0
# A label for each method that somebody thinks up would be a time series for each.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET_PATHS = frozenset({"/livez", "/readyz", "/metrics"})
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

logger = get_logger("chassis.access")


@dataclass
class _Exchange:
    """One request and what became of it."""

    scope: Scope
    started_at: float = field(default_factory=time.perf_counter)
    status: int = 0
    received_bytes: int = 0


class RequestMiddleware:
    """Wraps the whole application, so that also a 500 carries the request id and is logged."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        with bind_context(
            request_id=headers.get("x-request-id"),
            traceparent=headers.get("traceparent"),
            seconds=parse_deadline(headers.get("x-deadline-ms")),
        ):
            REQUESTS_ACTIVE.inc()
            exchange = _Exchange(scope)
            try:
                await self._answer(exchange, headers, receive, send)
            finally:
                REQUESTS_ACTIVE.dec()
                record_exchange(exchange)

    async def _answer(self, exchange: _Exchange, headers: Headers, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                add_headers(MutableHeaders(scope=message))
            await send(message)

        async def receive_within_limit() -> Message:
            message = await receive()
            exchange.received_bytes += len(message.get("body", b""))
            if exchange.received_bytes > self._max_body_bytes:
                # FastAPI turns any other exception from reading a body into a 400.
                raise HTTPException(413, self._limit_text())
            return message

        length = headers.get("content-length", "")
        if is_number(length) and int(length) > self._max_body_bytes:
            await send_problem(ContentTooLargeError(self._limit_text()), exchange.scope, receive, send_with_headers)
            return
        try:
            await self._app(exchange.scope, receive_within_limit, send_with_headers)
        except Exception:
            UNEXPECTED_ERRORS.inc()
            logger.exception("unexpected_error", method=exchange.scope["method"])
            if exchange.status:
                raise  # the answer has begun: only closing the connection tells the client
            problem = create_problem_response(500, create_problem(500, "internal_error"))
            await problem(exchange.scope, receive, send_with_headers)

    def _limit_text(self) -> str:
        return f"The body is larger than {self._max_body_bytes} bytes."


def is_number(text: str) -> bool:
    """ASCII digits only: `isdigit` takes also what `int` refuses."""
    return text.isascii() and text.isdigit()


def parse_deadline(milliseconds: str | None) -> float:
    """Seconds the caller still waits; a value that makes no sense is ignored."""
    if milliseconds is None or not is_number(milliseconds):
        return DEFAULT_DEADLINE_SECONDS
    return min(int(milliseconds[:9]) / 1000, MAX_DEADLINE_SECONDS)


def add_headers(headers: MutableHeaders) -> None:
    headers["X-Request-ID"] = get_request_id() or ""
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)


def record_exchange(exchange: _Exchange) -> None:
    scope, seconds = exchange.scope, time.perf_counter() - exchange.started_at
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    REQUEST_SECONDS.labels(method, route, exchange.status).observe(seconds)
    if scope["path"] in QUIET_PATHS:
        return
    logger.info(
        "request",
        method=scope["method"],
        route=route,
        path=scope["path"],
        status=exchange.status,
        milliseconds=round(seconds * 1000, 1),
    )
