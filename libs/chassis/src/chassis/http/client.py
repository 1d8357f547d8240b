"""The client that a service holds for each other service it calls."""

import asyncio
from types import TracebackType
from typing import Any, Protocol, Self, Unpack

from chassis.http.calls import CallPlanner, FetchToken, Pause, Step
from chassis.http.exceptions import UpstreamError
from chassis.http.messages import RequestOptions, UpstreamResponse, build_request
from chassis.http.policy import ClientPolicy
from chassis.http.transport import AsyncBaseTransport, AsyncTransport


class TokenSource(Protocol):
    async def get_token(self, *, stale: str | None = None) -> str:
        """A token to call with; not `stale` again, if another can be had."""
        ...


class ServiceClient:
    """Pooled, one per target, opened in the lifespan. `backend` puts an ASGI app or a mock in the place of sockets."""

    def __init__(
        self,
        target: str,
        base_url: str,
        *,
        token_source: TokenSource | None = None,
        policy: ClientPolicy | None = None,
        backend: AsyncBaseTransport | None = None,
    ) -> None:
        policy = policy or ClientPolicy()
        self.target = target
        self._token_source = token_source
        self._planner = CallPlanner(target, policy, needs_token=token_source is not None)
        self._transport = AsyncTransport(target, base_url, policy, backend)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> UpstreamResponse:
        """2xx or 304. Raises UpstreamUnavailableError, UpstreamRejectedError."""
        flow = self._planner.plan_call(build_request(method, path, **options))
        step = next(flow)
        try:
            while True:
                try:
                    result = await self._perform(step)
                except UpstreamError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(result)
        except StopIteration as end:
            response: UpstreamResponse = end.value
            return response
        finally:
            flow.close()

    async def _perform(self, step: Step) -> object:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        if isinstance(step, FetchToken):
            assert self._token_source is not None  # noqa: S101 - the planner asks only where there is one
            return await self._token_source.get_token(stale=step.stale)
        return await self._transport.send(step.request, step.timeout)

    async def get_json(self, path: str, **options: Unpack[RequestOptions]) -> Any:
        return (await self.request("GET", path, **options)).json()

    async def post_json(self, path: str, **options: Unpack[RequestOptions]) -> Any:
        return (await self.request("POST", path, **options)).json()
