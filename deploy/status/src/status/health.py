"""Asks every service whether it is ready, all at once."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import httpx

CHECK_SECONDS = 0.8


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
