"""Asks every service whether it is ready, all at once."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import httpx

CHECK_SECONDS = 0.8
KEPT_SECONDS = 1.0
"""So long one answer serves all who ask."""


class State(StrEnum):
    """How a service is."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    """It answers, and says that it is not ready."""
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class ServiceHealth:
    """One service's answer: what of it is failing, by its own names, and how long it took."""

    name: str
    state: State
    failing: tuple[str, ...] = ()
    milliseconds: int | None = None

    @property
    def description(self) -> str:
        """The state in words for the page."""
        if self.state is State.OK:
            return f"Well, answers in {self.milliseconds} ms"
        if self.state is State.UNAVAILABLE:
            return f"Not ready: {', '.join(self.failing)}" if self.failing else "Not ready"
        return "No answer"


class HealthChecks:
    """However many ask, who needs no account for it: the services are asked once a second, each once."""

    def __init__(self, client: httpx.AsyncClient, services: Mapping[str, str]) -> None:
        self._client = client
        self._services = services
        self._check: asyncio.Task[list[ServiceHealth]] | None = None
        self._ended_at = 0.0

    async def read(self) -> list[ServiceHealth]:
        """The answer of a moment ago, or that of the check that is under way."""
        check = self._check
        if check is None or (check.done() and time.monotonic() - self._ended_at >= KEPT_SECONDS):
            check = self._check = asyncio.create_task(self._run())
        # One who hangs up takes the answer from nobody else.
        return await asyncio.shield(check)

    async def close(self) -> None:
        """Before the client is: nothing is under way any more."""
        if self._check is not None:
            self._check.cancel()
            await asyncio.wait([self._check])

    async def _run(self) -> list[ServiceHealth]:
        try:
            return await check_services(self._client, self._services)
        finally:
            self._ended_at = time.monotonic()


async def check_services(client: httpx.AsyncClient, services: Mapping[str, str]) -> list[ServiceHealth]:
    """The health of each service by name; takes no longer than CHECK_SECONDS."""
    return await asyncio.gather(*(check_service(client, name, url) for name, url in services.items()))


async def check_service(client: httpx.AsyncClient, name: str, url: str) -> ServiceHealth:
    """The health of one service, from its `/readyz`."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            response = await client.get(f"{url.rstrip('/')}/readyz")
    except (httpx.HTTPError, TimeoutError):
        return ServiceHealth(name, State.UNREACHABLE)
    milliseconds = max(1, round((time.perf_counter() - started) * 1000))
    if response.status_code == httpx.codes.OK:
        return ServiceHealth(name, State.OK, milliseconds=milliseconds)
    return ServiceHealth(name, State.UNAVAILABLE, _read_failing(response), milliseconds)


def _read_failing(response: httpx.Response) -> tuple[str, ...]:
    try:
        body = response.json()
    except ValueError:
        return ()
    failing = body.get("failing") if isinstance(body, dict) else None
    return tuple(str(name) for name in failing) if isinstance(failing, list) else ()
