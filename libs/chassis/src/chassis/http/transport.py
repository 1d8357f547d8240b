"""The one place that knows the HTTP library. Its failures leave here as ours, translated once."""

import asyncio
from typing import Any

import httpx
from httpx import ASGITransport, AsyncBaseTransport, AsyncClient, BaseTransport

from chassis.http.exceptions import FailureReason, UpstreamUnavailableError
from chassis.http.messages import UpstreamRequest, UpstreamResponse
from chassis.http.policy import ClientPolicy

__all__ = ["ASGITransport", "AsyncBaseTransport", "AsyncClient", "AsyncTransport", "BaseTransport", "SyncTransport"]

# Below the time after which a server closes an idle connection (deploy/gunicorn.conf.py), or a call may meet one that
# just closed.
KEEPALIVE_SECONDS = 3.0

# The first that fits; httpx derives its errors from one another.
REASONS: tuple[tuple[type[Exception], FailureReason], ...] = (
    (httpx.PoolTimeout, FailureReason.POOL_FULL),
    (httpx.TimeoutException, FailureReason.TIMEOUT),
    (TimeoutError, FailureReason.TIMEOUT),
    (httpx.ConnectError, FailureReason.CONNECT),
    (httpx.DecodingError, FailureReason.MALFORMED),
    (httpx.TransportError, FailureReason.DISCONNECT),
)


class AsyncTransport:
    def __init__(
        self, target: str, base_url: str, policy: ClientPolicy, backend: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._target = target
        self._policy = policy
        self._client = httpx.AsyncClient(transport=backend, **_client_options(base_url, policy))

    async def send(self, request: UpstreamRequest, seconds: float) -> UpstreamResponse:
        try:
            # httpx limits each read; only the outer limit stops a server that drips.
            async with asyncio.timeout(seconds):
                response = await self._client.request(**_request_options(request, seconds, self._policy))
        except (httpx.RequestError, TimeoutError) as error:
            raise translate_failure(self._target, error) from error
        return UpstreamResponse(self._target, response.status_code, response.headers, response.content)

    async def close(self) -> None:
        await self._client.aclose()


class SyncTransport:
    """For processes without an event loop. The timeout holds for each read, not for the whole answer."""

    def __init__(
        self, target: str, base_url: str, policy: ClientPolicy, backend: httpx.BaseTransport | None = None
    ) -> None:
        self._target = target
        self._policy = policy
        self._client = httpx.Client(transport=backend, **_client_options(base_url, policy))

    def send(self, request: UpstreamRequest, seconds: float) -> UpstreamResponse:
        try:
            response = self._client.request(**_request_options(request, seconds, self._policy))
        except httpx.RequestError as error:
            raise translate_failure(self._target, error) from error
        return UpstreamResponse(self._target, response.status_code, response.headers, response.content)

    def close(self) -> None:
        self._client.close()


def translate_failure(target: str, error: Exception) -> UpstreamUnavailableError:
    reason = next((reason for kind, reason in REASONS if isinstance(error, kind)), FailureReason.MALFORMED)
    return UpstreamUnavailableError(target, reason)


def _client_options(base_url: str, policy: ClientPolicy) -> dict[str, Any]:
    return {
        "base_url": base_url,
        # A proxy in the environment is for the outside world, not for our own network.
        "trust_env": False,
        # Plain HTTP inside one network needs no certificates, and loading them costs 20 ms and 1 MB a client.
        "verify": base_url.startswith("https:"),
        "follow_redirects": False,
        "limits": httpx.Limits(max_connections=policy.max_connections, keepalive_expiry=KEEPALIVE_SECONDS),
    }


def _request_options(request: UpstreamRequest, seconds: float, policy: ClientPolicy) -> dict[str, Any]:
    quick = min(seconds, policy.connect_timeout)
    return {
        "method": request.method,
        "url": request.path,
        "params": request.params or None,
        "headers": request.headers,
        "content": request.content,
        "timeout": httpx.Timeout(seconds, connect=quick, pool=quick),
    }
