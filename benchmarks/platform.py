"""Measures the embedded platform: start, stop, the way of an article, memory and CPU when idle.

`make bench` runs it on an ephemeral platform, on this machine alone, in about two minutes.
"""

import asyncio
import os
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable

import httpx
import psutil
from e2e.embedded import EmbeddedPlatform
from e2e.mail import Mailbox
from e2e.people import API, Person
from rich.console import Console
from rich.progress import track
from rich.table import Table

ARTICLES = 30
IDLE_SECONDS = 30
SETTLE_SECONDS = 10
POLL_SECONDS = 0.005
MIB = 1024 * 1024

console = Console()


async def time_until(read: Callable[[], Awaitable[bool]], seconds: float = 60) -> float:
    """Seconds until `read` is true."""
    started_at = time.perf_counter()
    while not await read():
        if time.perf_counter() - started_at > seconds:
            raise TimeoutError(f"not true within {seconds} s")
        await asyncio.sleep(POLL_SECONDS)
    return time.perf_counter() - started_at


async def create_person(client: httpx.AsyncClient, mailbox: Mailbox) -> Person:
    person = Person(client, mailbox)
    (await person.sign_up()).raise_for_status()
    await person.confirm()
    (await person.log_in()).raise_for_status()
    return person


async def measure_article(creator: Person, follower: Person, mailbox: Mailbox) -> tuple[float, float]:
    """Seconds from the publishing request to the follower's inbox, and to their mailbox. The draft is rendered."""
    title = f"Edition {secrets.token_hex(6)}"
    draft = await creator.create_post(title, "# Heading\n\nSome *text*.\n" * 20)

    async def is_rendered() -> bool:
        return (await creator.read(f"/posts/{draft['id']}"))["html"] is not None

    async def is_in_inbox() -> bool:
        newest = (await follower.read("/notifications?limit=1"))["items"]
        return bool(newest) and newest[0]["data"].get("post_id") == draft["id"]

    async def is_in_mailbox() -> bool:
        return bool(await mailbox.list_messages(follower.email, title))

    await time_until(is_rendered)
    started = asyncio.create_task(time_until(is_in_inbox)), asyncio.create_task(time_until(is_in_mailbox))
    (await creator.client.put(f"{API}/posts/{draft['id']}/publication")).raise_for_status()
    return await started[0], await started[1]


async def measure_articles(platform: EmbeddedPlatform) -> tuple[list[float], list[float]]:
    inbox, mail = [], []
    async with (
        httpx.AsyncClient(base_url=platform.base_url, timeout=20) as one,
        httpx.AsyncClient(base_url=platform.base_url, timeout=20) as other,
        httpx.AsyncClient(base_url=platform.mailbox_url, timeout=20) as mail_client,
    ):
        mailbox = Mailbox(mail_client)
        creator, follower = await create_person(one, mailbox), await create_person(other, mailbox)
        await creator.become_creator()
        await follower.follow(creator)
        for _ in track(range(ARTICLES), "publishing", console=console):
            to_inbox, to_mail = await measure_article(creator, follower, mailbox)
            inbox.append(to_inbox)
            mail.append(to_mail)
            if (len(inbox) + 1) % 10 == 0:  # access tokens live five minutes
                await asyncio.gather(creator.log_in(), follower.log_in())
    return inbox, mail


def list_processes(launcher: int) -> list[psutil.Process]:
    parent = psutil.Process(launcher)
    return [parent, *parent.children(recursive=True)]


def measure_memory(processes: list[psutil.Process]) -> float:
    """Proportional set size in MiB: shared pages are counted once."""
    return sum(process.memory_full_info().pss for process in processes) / MIB


def measure_idle_cpu(launcher: int) -> float:
    """Per cent of one core, of all processes together."""

    def read_seconds() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in list_processes(launcher))

    before = read_seconds()
    for _ in track(range(IDLE_SECONDS), "idling", console=console):
        time.sleep(1)
    return (read_seconds() - before) / IDLE_SECONDS * 100


def list_leftovers(processes: list[psutil.Process]) -> list[str]:
    return [process.name() for process in processes if process.is_running()]


def run() -> None:
    started_at = time.perf_counter()
    platform = EmbeddedPlatform()
    with platform:
        ready = time.perf_counter() - started_at
        inbox, mail = asyncio.run(measure_articles(platform))
        time.sleep(SETTLE_SECONDS)
        processes = list_processes(platform.launcher_pid)
        memory, cpu = measure_memory(processes), measure_idle_cpu(platform.launcher_pid)
        stopping_at = time.perf_counter()
    stopped = time.perf_counter() - stopping_at
    leftovers = list_leftovers(processes)

    table = Table("figure", "seen", "to reach", title=f"{os.cpu_count()} cores, {ARTICLES} articles")
    table.add_row("ready after", f"{ready:.1f} s", "20 s")
    table.add_row("publish to inbox, median (p95)", format_times(inbox), "300 ms")
    table.add_row("publish to mailbox, median (p95)", format_times(mail), "1,000 ms")
    table.add_row(f"memory, {len(processes)} processes (PSS)", f"{memory:.0f} MiB", "1,536 MiB")
    table.add_row("CPU when idle, of one core", f"{cpu:.1f} %", "10 %")
    table.add_row("stopped after", f"{stopped:.1f} s", "")
    table.add_row("processes left behind", ", ".join(leftovers) or "none", "none")
    console.print(table)


def format_times(seconds: list[float]) -> str:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    return f"{statistics.median(seconds) * 1000:.0f} ms ({p95 * 1000:.0f} ms)"


if __name__ == "__main__":
    run()
