"""The same client without an event loop, for the worker's tasks. Open it after the fork: sockets are not shared."""

import threading
import time
from types import TracebackType
from typing import Any, Protocol, Self, Unpack

from chassis.http.calls import CallPlanner, FetchToken, Pause, Step
from chassis.http.config import ServiceClientConfig
from chassis.http.exceptions import UpstreamError, UpstreamRejectedError
from chassis.http.messages import RequestOptions, UpstreamResponse, build_request
from chassis.http.policy import ClientPolicy, Clock
from chassis.http.tokens import TOKEN_PATH, TokenCache, build_token_request, read_granted_token, translate_refusal
from chassis.http.transport import BaseTransport, SyncTransport


class SyncTokenSource(Protocol):
    def get_token(self, *, stale: str | None = None) -> str: ...


class SyncServiceClient:
    """See `chassis.http.client.ServiceClient`."""

    def __init__(
        self,
        target: str,
        base_url: str,
        *,
        token_source: SyncTokenSource | None = None,
        policy: ClientPolicy | None = None,
        backend: BaseTransport | None = None,
    ) -> None:
        policy = policy or ClientPolicy()
        self.target = target
        self._token_source = token_source
        self._planner = CallPlanner(target, policy, needs_token=token_source is not None)
        self._transport = SyncTransport(target, base_url, policy, backend)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> UpstreamResponse:
        """2xx or 304. Raises UpstreamUnavailableError, UpstreamRejectedError."""
        flow = self._planner.plan_call(build_request(method, path, **options))
        step = next(flow)
        try:
            while True:
                try:
                    result = self._perform(step)
                except UpstreamError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(result)
        except StopIteration as end:
            response: UpstreamResponse = end.value
            return response
        finally:
            flow.close()

    def _perform(self, step: Step) -> object:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        if isinstance(step, FetchToken):
            assert self._token_source is not None  # noqa: S101 - the planner asks only where there is one
            return self._token_source.get_token(stale=step.stale)
        return self._transport.send(step.request, step.timeout)

    def get_json(self, path: str, **options: Unpack[RequestOptions]) -> Any:
        return self.request("GET", path, **options).json()

    def post_json(self, path: str, **options: Unpack[RequestOptions]) -> Any:
        return self.request("POST", path, **options).json()


class SyncServiceTokenSource:
    """See `chassis.http.tokens.ServiceTokenSource`."""

    def __init__(
        self, auth_client: SyncServiceClient, config: ServiceClientConfig, *, clock: Clock = time.monotonic
    ) -> None:
        self._client = auth_client
        self._config = config
        self._cache = TokenCache(clock)
        self._lock = threading.Lock()

    def get_token(self, *, stale: str | None = None) -> str:
        with self._lock:
            return self._cache.get(stale=stale) or self._fetch_token()

    def _fetch_token(self) -> str:
        try:
            response = self._client.request("POST", TOKEN_PATH, **build_token_request(self._config))
        except UpstreamRejectedError as error:
            raise translate_refusal(error) from error
        return self._cache.store(read_granted_token(response))
