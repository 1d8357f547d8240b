"""The counts in Redis, which all processes share."""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from auth.limits.constants import REDIS_CONNECTIONS, REDIS_SECONDS, TAKE_SCRIPT
from auth.limits.schemas import Taken, Window


class RedisWindows:
    """Each method is one round trip, and raises RedisError, OSError or TimeoutError in a tenth of a second."""

    def __init__(self, redis_url: str, seconds: float = REDIS_SECONDS) -> None:
        self._seconds = seconds
        pool = BlockingConnectionPool.from_url(
            redis_url,
            max_connections=REDIS_CONNECTIONS,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            # Once, at once: a connection from before a restart of Redis is replaced, and nobody notices.
            retry=Retry(NoBackoff(), 1),
        )
        self._redis = Redis.from_pool(pool)

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def take(self, windows: Sequence[Window]) -> Taken:
        keys = [window.key for window in windows]
        sizes = [number for window in windows for number in (window.amount, window.seconds)]
        async with asyncio.timeout(self._seconds):
            # The script as text: Redis knows it by its digest after the first time, and after a restart again.
            answer: Any = await self._redis.eval(TAKE_SCRIPT, len(keys), *keys, *sizes)
        is_allowed, *numbers = (int(number) for number in answer)
        counts = [(used, milliseconds / 1000) for used, milliseconds in zip(numbers[::2], numbers[1::2], strict=True)]
        return Taken(is_allowed == 1, counts)

    async def give_back(self, windows: Sequence[Window]) -> None:
        async with asyncio.timeout(self._seconds), self._redis.pipeline(transaction=False) as pipeline:
            for window in windows:
                pipeline.lpop(window.key)
            await pipeline.execute()
