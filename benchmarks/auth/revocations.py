"""How soon every service refuses the access token of somebody who has logged out, on the whole embedded platform."""

import asyncio
import time
from typing import Final
from uuid import UUID

import httpx
from e2e.embedded import EmbeddedPlatform
from e2e.mail import Mailbox
from e2e.people import API, Person
from rich.progress import track

from benchmarks.auth.figures import Figure, console, get_percentile

LOGOUTS: Final = 200
POLL_SECONDS: Final = 0.002
TIMEOUT_SECONDS: Final = 30.0
GOAL_MS: Final = 1000.0


def list_doors(person: Person) -> list[str]:
    """A route of each service that wants a token; the second finds nothing, and only after it has looked at that."""
    no_post = f"{API}/users/{person.id}/posts/{UUID(int=0)}"
    return [f"{API}/profiles/me", no_post, f"{API}/notifications/unread-count"]


async def is_refused(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> bool:
    return (await client.get(path, headers=headers)).status_code == httpx.codes.UNAUTHORIZED


async def time_refusal(client: httpx.AsyncClient, path: str, headers: dict[str, str], started_at: float) -> float:
    """Milliseconds since the logout was sent."""
    while not await is_refused(client, path, headers):
        if time.perf_counter() - started_at > TIMEOUT_SECONDS:
            raise TimeoutError(f"{path} still takes the token of a session that has ended")
        await asyncio.sleep(POLL_SECONDS)
    return (time.perf_counter() - started_at) * 1000


async def measure_logout(person: Person) -> float:
    """Until the last of the services refuses. The client has no cookies here: the token says which session ends."""
    (await person.log_in()).raise_for_status()
    client, headers = person.client, {"Authorization": person.client.headers["Authorization"]}
    client.cookies.clear()
    doors = list_doors(person)
    # Verified once, and remembered: what has to be forgotten.
    if any([await is_refused(client, door, headers) for door in doors]):
        raise RuntimeError("a service refuses a token that is good")
    started_at = time.perf_counter()
    refusals = asyncio.gather(*(time_refusal(client, door, headers, started_at) for door in doors))
    (await client.post(f"{API}/auth/logout", headers=headers)).raise_for_status()
    return max(await refusals)


async def measure(platform: EmbeddedPlatform) -> list[float]:
    async with (
        httpx.AsyncClient(base_url=platform.base_url, timeout=20) as client,
        httpx.AsyncClient(base_url=platform.mailbox_url, timeout=20) as mail_client,
    ):
        person = Person(client, Mailbox(mail_client))
        (await person.sign_up()).raise_for_status()
        await person.confirm()
        return [await measure_logout(person) for _ in track(range(LOGOUTS), "logging out", console=console)]


def run() -> list[Figure]:
    with EmbeddedPlatform() as platform:
        times = asyncio.run(measure(platform))
    p99, median = get_percentile(times, 99), get_percentile(times, 50)
    name = f"revocation seen by all services, p99 of {LOGOUTS}"
    return [Figure(name, f"< {GOAL_MS:.0f} ms", f"{p99:.0f} ms", f"{median:.0f} ms: median", None, p99 < GOAL_MS)]
