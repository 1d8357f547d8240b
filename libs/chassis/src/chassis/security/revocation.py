"""Which sessions have ended, in the memory of every process: asked on each request without a call.

A signing key that was withdrawn is told of in the same way, by its id.

Auth writes; everybody reads. Redis carries it and may lose it: a published message reaches who listens at that moment,
and the sorted set, which auth writes again and again from its database, is read at every connect and every few seconds.
While Redis is away, an ended session's access token works until it expires, five minutes at most.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from chassis.logs import get_logger
from chassis.security.metrics import REVOCATION_CONNECTED, REVOCATION_LAG_SECONDS

CHANNEL: Final = "revocations"
SORTED_SET: Final = "revocations"
KEPT_SECONDS: Final = 360.0
"""Longer than an access token lives, leeway included: after that nothing is left to refuse."""
SNAPSHOT_SECONDS: Final = 5.0
SOCKET_SECONDS: Final = 2.0
RECONNECT_SECONDS: Final = (0.1, 2.0)
BATCH: Final = 500
REDIS_AWAY: Final = (RedisError, OSError, TimeoutError)

logger = get_logger(__name__)


class RevocationMap:
    """Ids of sessions, and of withdrawn keys, with the moment of their end (Unix time in seconds)."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._revoked: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._revoked)

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._revoked

    def add(self, session_id: str, revoked_at: float) -> bool:
        """Whether it was news."""
        is_new = session_id not in self._revoked
        self._revoked.setdefault(session_id, revoked_at)
        return is_new

    def prune(self) -> None:
        """Forget those of which no access token can be left."""
        oldest = self._clock() - KEPT_SECONDS
        for session_id in [key for key, revoked_at in self._revoked.items() if revoked_at < oldest]:
            del self._revoked[session_id]


class RevocationFeed:
    """Keeps a map up to date; open it in the lifespan. Never waited for, neither by the start nor by a request."""

    def __init__(self, redis_url: str, revocations: RevocationMap | None = None) -> None:
        self.revocations = RevocationMap() if revocations is None else revocations
        self.connected = asyncio.Event()
        """Set while what is published arrives here; for tests and metrics."""
        self._redis_url = redis_url
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="revocation-feed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pause, longest = RECONNECT_SECONDS
        while True:
            try:
                await self._follow()
            except REDIS_AWAY as error:
                if self.connected.is_set():
                    logger.warning("revocations_not_heard", reason=type(error).__name__)
                    pause = RECONNECT_SECONDS[0]
            finally:
                self.connected.clear()
                REVOCATION_CONNECTED.set(0)
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads reconnects, guards nothing
            pause = min(pause * 2, longest)

    async def _follow(self) -> None:
        async with create_redis(self._redis_url) as redis, redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            # Subscribed before the snapshot is read: what comes between the two comes twice, and not never.
            await pubsub.subscribe(CHANNEL)
            await self._read_snapshot(redis)
            self.connected.set()
            REVOCATION_CONNECTED.set(1)
            while True:
                await self._listen(pubsub, SNAPSHOT_SECONDS)
                await self._read_snapshot(redis)
                self.revocations.prune()

    async def _listen(self, pubsub: PubSub, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            message = await pubsub.get_message(timeout=left)
            if message is not None:
                self._apply_message(message["data"])

    def _apply_message(self, data: Any) -> None:
        try:
            entries = [(str(session_id), float(revoked_at)) for session_id, revoked_at in json.loads(data)]
        except (ValueError, TypeError, RecursionError):
            logger.warning("revocation_malformed")
            return
        for session_id, revoked_at in entries:
            if self.revocations.add(session_id, revoked_at):
                REVOCATION_LAG_SECONDS.observe(max(0.0, time.time() - revoked_at))

    async def _read_snapshot(self, redis: "Redis") -> None:
        # As long ago as they matter: what was lost meanwhile has come back under its old time.
        oldest = time.time() - KEPT_SECONDS
        entries: Any = await redis.zrangebyscore(SORTED_SET, oldest, "+inf", withscores=True)
        for session_id, revoked_at in entries:
            self.revocations.add(session_id, revoked_at)


def create_redis(redis_url: str) -> "Redis":
    """Gives up early: nobody waits for Redis."""
    return Redis.from_url(
        redis_url, decode_responses=True, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS
    )


async def publish_revocations(redis: "Redis", entries: Iterable[tuple[str, float]]) -> None:
    """To all who listen. Auth's part, after `write_revocations`: who connects between the two misses nothing."""
    batch = list(entries)
    for start in range(0, len(batch), BATCH):
        await redis.publish(CHANNEL, json.dumps(batch[start : start + BATCH]))


async def write_revocations(redis: "Redis", entries: Iterable[tuple[str, float]]) -> None:
    """For all who come later. Writing the same again changes nothing; what is too old goes."""
    members: Mapping[str, float] = dict(entries)
    items = list(members.items())
    for start in range(0, len(items), BATCH):
        await redis.zadd(SORTED_SET, dict(items[start : start + BATCH]))
    await redis.zremrangebyscore(SORTED_SET, "-inf", time.time() - KEPT_SECONDS)
