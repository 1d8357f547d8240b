"""Logins beside argon2 alone, and what a plain read notices of them."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from benchmarks.auth.figures import Figure, Sample, Turns, get_percentile, take_turns
from benchmarks.auth.http import Connection, connect
from benchmarks.auth.machine import read_own_seconds
from benchmarks.auth.people import PASSWORD, Person, create_hasher, create_people
from benchmarks.auth.stack import AuthStack

PEOPLE: Final = 100
CLIENTS: Final = 8
"""Log in at once, each again and again."""
SECONDS: Final = 3.0
ROUNDS: Final = 6
READ_ROUNDS: Final = 4
READ_SECONDS: Final = 5.0
READS_A_SECOND: Final = 100
READERS: Final = 20

LOGIN_GOAL: Final = 0.9
READ_GOAL: Final = 3.0


class Meter:
    """Of what ends again and again: from the first end to the last, so that what is under way does not matter."""

    def __init__(self) -> None:
        self._ends: list[float] = []
        self._own_seconds = read_own_seconds()

    def note(self) -> None:
        self._ends.append(time.perf_counter())

    def take_sample(self) -> Sample:
        """How many a second, and the processor time of each."""
        ends = sorted(self._ends)
        cpu_ms = (read_own_seconds() - self._own_seconds) / len(ends) * 1000
        return Sample((len(ends) - 1) / (ends[-1] - ends[0]), cpu_ms)


async def measure_bare_hashing(slots: int, password_hash: str) -> Sample:
    """Checks in threads that do nothing else."""
    hasher, meter, until = create_hasher(), Meter(), time.perf_counter() + SECONDS

    def hash_on() -> None:
        while time.perf_counter() < until:
            hasher.verify(password_hash, PASSWORD)
            meter.note()

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(slots) as threads:
        await asyncio.gather(*(loop.run_in_executor(threads, hash_on) for _ in range(slots)))
    return meter.take_sample()


async def measure_logins(port: int, people: Iterator[Person]) -> Sample:
    meter, until = Meter(), time.perf_counter() + SECONDS
    async with connect(port, CLIENTS) as connections:
        await asyncio.gather(*(log_in_until(until, each, people, meter.note) for each in connections))
        return meter.take_sample()


async def log_in_until(
    until: float, connection: Connection, people: Iterator[Person], note: Callable[[], None]
) -> None:
    while time.perf_counter() < until:
        await next(people).log_in(connection)
        note()


@asynccontextmanager
async def keep_logging_in(port: int, people: Iterator[Person]) -> AsyncIterator[None]:
    async with connect(port, CLIENTS) as connections, asyncio.TaskGroup() as group:
        meter = Meter()
        tasks = [group.create_task(log_in_until(float("inf"), each, people, meter.note)) for each in connections]
        await asyncio.sleep(0.5)
        yield
        for task in tasks:
            task.cancel()


async def measure_reads(port: int, profile_id: str, *, may_refuse: bool = False) -> Sample:
    """The 99th percentile of milliseconds, from the moment that a read was due: one that waits hides no other.

    A peer may be so busy that it refuses (503); what it took to say so counts.
    """
    times: list[float] = []
    async with connect(port, READERS) as connections:
        free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in connections:
            free.put_nowait(connection)

        async def read(due_at: float) -> None:
            connection = await free.get()
            answer = await connection.get(f"/profiles/{profile_id}")
            if not may_refuse:
                answer.expect()
            times.append((time.perf_counter() - due_at) * 1000)
            free.put_nowait(connection)

        async with asyncio.TaskGroup() as group:
            for due_at in space_out(READS_A_SECOND, READ_SECONDS):
                await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
                group.create_task(read(due_at))
    return Sample(get_percentile(times, 99))


def space_out(per_second: int, seconds: float) -> Iterator[float]:
    start = time.perf_counter()
    return (start + number / per_second for number in range(int(per_second * seconds)))


async def measure_busy_reads(port: int, people: Iterator[Person], profile_id: str, *, may_refuse: bool) -> Sample:
    async with keep_logging_in(port, people):
        return await measure_reads(port, profile_id, may_refuse=may_refuse)


async def compare_logins(port: int, slots: int, people: Iterator[Person]) -> Turns:
    password_hash = create_hasher().hash(PASSWORD)
    return await take_turns(
        f"logins with {slots} hashing slots",
        ROUNDS,
        partial(measure_bare_hashing, slots, password_hash),
        partial(measure_logins, port, people),
    )


async def compare_reads(title: str, port: int, people: list[Person], *, is_ours: bool) -> Turns:
    busy = partial(measure_busy_reads, port, itertools.cycle(people), people[0].id, may_refuse=not is_ours)
    return await take_turns(title, READ_ROUNDS, partial(measure_reads, port, people[0].id), busy)


def describe_logins(slots: int, turns: Turns) -> list[Figure]:
    ratio, cpu_ratio = turns.get_ratio(1), turns.get_cpu_ratio(1)
    return [
        Figure(
            f"logins, {slots} hashing slots",
            f"≥ {LOGIN_GOAL:.0%} of argon2",
            f"{turns.get_median(1):.1f} /s",
            f"{turns.get_median(0):.1f} /s: argon2 in {slots} threads",
            ratio,
            ratio >= LOGIN_GOAL,
        ),
        Figure(
            "  processor time of one, all processes",
            "",
            f"{turns.get_cpu_ms(1):.1f} ms",
            f"{turns.get_cpu_ms(0):.1f} ms: of one hash",
            cpu_ratio,
        ),
    ]


def describe_reads(name: str, turns: Turns, *, is_ours: bool) -> Figure:
    ratio = turns.get_ratio(1)
    return Figure(
        name,
        f"≤ {READ_GOAL:.0f} times idle" if is_ours else "",
        f"{turns.get_median(1):.1f} ms",
        f"{turns.get_median(0):.1f} ms: idle",
        ratio,
        ratio <= READ_GOAL if is_ours else None,
    )


async def run(stack: AuthStack) -> list[Figure]:
    figures: list[Figure] = []
    people: list[Person] = []
    for slots in (2, 1):
        with stack.run_api(HASHING_THREADS=str(slots)) as port:
            people = await create_people(PEOPLE, port)
            figures += describe_logins(slots, await compare_logins(port, slots, itertools.cycle(people)))
            title = f"p99 of a read while people log in, {slots} slots"
            figures.append(describe_reads(title, await compare_reads(title, port, people, is_ours=True), is_ours=True))
    with stack.run_api(HASHING_THREADS=str(CLIENTS)) as port:
        title = "  the same with threads without end"
        figures.append(describe_reads(title, await compare_reads(title, port, people, is_ours=False), is_ours=False))
    with stack.run_api("benchmarks.auth.hashing_in_loop") as port:
        title = "  the same with hashing in the loop"
        figures.append(describe_reads(title, await compare_reads(title, port, people, is_ours=False), is_ours=False))
    return figures
