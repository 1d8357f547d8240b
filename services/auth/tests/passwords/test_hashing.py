"""Passwords are hashed beside the event loop, in a bounded number."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from auth.passwords.config import HashingConfig
from auth.passwords.exceptions import HashingBusyError
from auth.passwords.utils import PasswordHashing


async def count_turns(stop: asyncio.Event) -> int:
    """How often the loop came round."""
    turns = 0
    while not stop.is_set():
        await asyncio.sleep(0)
        turns += 1
    return turns


class TestPasswordHashing:
    @pytest.fixture
    def real(self) -> Iterator[PasswordHashing]:
        with PasswordHashing(HashingConfig()) as hashing:
            yield hashing

    async def test_parameters_are_those_of_owasp(self, real: PasswordHashing) -> None:
        assert (await real.hash_password("Tr0ubador&3")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    async def test_concurrent_hashes_do_not_stall_the_loop(self, real: PasswordHashing) -> None:
        stop = asyncio.Event()
        watch = asyncio.create_task(count_turns(stop))
        await asyncio.gather(*(real.hash_password(f"password {number}") for number in range(24)))
        stop.set()
        # Counted, not timed: in the loop, or with the GIL held, there would be two or so for each hash. There are
        # tens of thousands, and many more than this however busy the machine is otherwise.
        assert await watch > 24 * 10

    async def test_wrong_and_unknown_are_refused(self, hashing: PasswordHashing) -> None:
        stored = await hashing.hash_password("right")
        assert await hashing.verify_password("right", stored)
        assert not await hashing.verify_password("wrong", stored)
        assert not await hashing.verify_password("right", None)
        assert not await hashing.verify_password("right", "no hash at all")

    async def test_unknown_takes_as_long_as_wrong(self, real: PasswordHashing) -> None:
        stored = await real.hash_password("right")
        seconds: dict[str | None, list[float]] = {stored: [], None: []}
        for _ in range(9):
            for kind, measured in seconds.items():
                started_at = time.perf_counter()
                await real.verify_password("wrong", kind)
                measured.append(time.perf_counter() - started_at)
        # The shortest of each: others may have been waiting for the machine.
        known, unknown = (min(measured) for measured in seconds.values())
        assert 0.2 < known / unknown < 5  # without the work for unknown ones it would be a thousand

    async def test_other_parameters_ask_for_a_new_hash(self, real: PasswordHashing, hashing: PasswordHashing) -> None:
        stored = await hashing.hash_password("right")
        assert real.needs_rehash(stored)
        assert not hashing.needs_rehash(stored)

    async def test_more_than_the_queue_takes_is_refused_at_once(self) -> None:
        with PasswordHashing(HashingConfig(memory_kib=64, time_cost=1, threads=1, queue_size=2)) as hashing:
            gate = threading.Event()
            waiting = [asyncio.create_task(hashing._run(gate.wait, 10)) for _ in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(HashingBusyError):
                await hashing.hash_password("one too many")
            gate.set()
            assert await asyncio.gather(*waiting) == [True, True, True]
            assert await hashing.hash_password("there is room again")

    async def test_client_that_hangs_up_frees_its_place(self) -> None:
        with PasswordHashing(HashingConfig(memory_kib=64, time_cost=1, threads=1, queue_size=1)) as hashing:
            gate = threading.Event()
            running = asyncio.create_task(hashing._run(gate.wait, 10))
            queued = asyncio.create_task(hashing.hash_password("nobody waits for this"))
            await asyncio.sleep(0)
            queued.cancel()
            with pytest.raises(asyncio.CancelledError):
                await queued
            follower = asyncio.create_task(hashing.hash_password("somebody waits for this"))
            await asyncio.sleep(0)
            gate.set()
            assert await running
            assert await follower
