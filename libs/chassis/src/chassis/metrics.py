"""Prometheus metrics of a process."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest, start_http_server
from starlette.requests import Request
from starlette.responses import Response

REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time from the request's first byte to the answer's last.",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REQUESTS_ACTIVE = Gauge("http_requests_active", "Requests under way.")
UNEXPECTED_ERRORS = Counter("http_unexpected_errors_total", "Requests that ended in an error nobody expected.")
LOOP_LAG_SECONDS = Histogram(
    "event_loop_lag_seconds",
    "How late the event loop comes to a callback whose time has come.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


async def read_metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@contextmanager
def serve_metrics(host: str, port: int | None) -> Iterator[None]:
    """For a process without an API, on a port of its own; nowhere without one. Raises OSError when it is taken."""
    if port is None:
        yield
        return
    server, thread = start_http_server(port, host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
