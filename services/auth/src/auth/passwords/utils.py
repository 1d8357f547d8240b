"""Passwords as they are kept."""

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from auth.passwords.config import HashingConfig
from auth.passwords.exceptions import HashingBusyError

ResultT = TypeVar("ResultT")


class PasswordHashing:
    """argon2id in threads of its own, so that it neither stalls the event loop nor takes the machine."""

    def __init__(self, config: HashingConfig) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=config.time_cost,
            memory_cost=config.memory_kib,
            parallelism=config.parallelism,
            type=argon2.Type.ID,
        )
        self._executor = ThreadPoolExecutor(config.threads, thread_name_prefix="argon2")
        self._places = threading.BoundedSemaphore(config.threads + config.queue_size)
        # What an unknown address is checked against: the answer takes as long as for a known one.
        self._dummy_hash = self._hasher.hash(secrets.token_urlsafe())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def hash_password(self, password: str) -> str:
        """Raises HashingBusyError."""
        return await self._run(self._hasher.hash, password)

    async def verify_password(self, password: str, password_hash: str | None) -> bool:
        """False, after the same work, also where there is no hash. Raises HashingBusyError."""
        is_valid = await self._run(self._verify, password_hash or self._dummy_hash, password)
        return is_valid and password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., ResultT], *arguments: Any) -> ResultT:
        if not self._places.acquire(blocking=False):
            raise HashingBusyError("Try again in a moment.", retry_after=1)
        future: Future[ResultT] = self._executor.submit(work, *arguments)
        # At the end of the work itself: a client that hangs up frees no thread.
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)
