"""Limits on what guesses or spams: counted in Redis for all processes, and without it by each, more strictly."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from limits import RateLimitItem
from redis.exceptions import RedisError

from auth.limits.client import RedisWindows
from auth.limits.config import LimitsConfig
from auth.limits.constants import BLOCK_SECONDS, FAILURE_THRESHOLD, RECOVERY_SECONDS, LimitRule
from auth.limits.exceptions import LimitedError
from auth.limits.schemas import LimitState, Taken, Window
from auth.limits.utils import Blocks, Clock, KeyDigester, LocalWindows
from chassis.http.policy import CircuitBreaker
from chassis.logs import get_logger

REDIS_AWAY = (RedisError, OSError, TimeoutError)
Bucket = tuple[LimitRule, str]
"""A rule and whom it is applied to, such as `address_key` and `account_key` make it."""

logger = get_logger(__name__)


class RateLimiter:
    """One of each process, in `app.state.rate_limiter`. Never fails for want of Redis, and never waits for it long."""

    def __init__(
        self,
        config: LimitsConfig,
        secret: bytes,
        redis: RedisWindows | None,
        *,
        local_share: float = 0.25,
        clock: Clock = time.monotonic,
    ) -> None:
        self._rates: dict[LimitRule, list[RateLimitItem]] = {rule: config.get_rates(rule) for rule in LimitRule}
        self._share = local_share
        self._digester = KeyDigester(secret)
        self._redis = redis
        self._local = LocalWindows(clock)
        self._blocks = Blocks(BLOCK_SECONDS, clock)
        self._breaker = CircuitBreaker(FAILURE_THRESHOLD, RECOVERY_SECONDS, clock)
        self._is_alone = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def hit(self, rule: LimitRule, key: str) -> LimitState:
        """Count one more, unless there is no room for it."""
        return await self.hit_all([(rule, key)])

    async def check(self, rule: LimitRule, key: str) -> LimitState:
        """Raises LimitedError."""
        return await self.check_all([(rule, key)])

    async def check_all(self, buckets: Sequence[Bucket]) -> LimitState:
        """Count one more in each, or in none where one has no room. Raises LimitedError."""
        state = await self.hit_all(buckets)
        if not state.is_allowed:
            raise create_limited_error(state)
        return state

    async def hit_all(self, buckets: Sequence[Bucket]) -> LimitState:
        """The state of the one that leaves least. One round trip to Redis, however many."""
        windows = self._list_windows(buckets)
        blocked = self._find_block(windows)
        if blocked is not None:
            return blocked
        taken = await self._take_shared(windows)
        if taken is None:
            windows = [self._narrow(window) for window in windows]
            taken = self._local.take(windows)
        state = taken.describe(windows)
        if not taken.is_allowed:
            self._remember_blocks(windows, taken)
            logger.info("rate_limited", rule=state.rule.value, retry_after=state.retry_after)
        return state

    async def give_back(self, rule: LimitRule, key: str) -> None:
        """Where only what fails shall count: it was counted beforehand, so that many at once are no way round."""
        windows = self._list_windows([(rule, key)])
        if self._is_alone or self._redis is None:
            self._local.give_back(windows)
            return
        try:
            await self._redis.give_back(windows)
        except REDIS_AWAY as error:
            self._note_failure(error)

    def refuse_blocked(self, rule: LimitRule, key: str) -> None:
        """For what is counted only after it failed: refused, without a call, right after a refusal.

        Raises LimitedError.
        """
        state = self._find_block(self._list_windows([(rule, key)]))
        if state is not None:
            raise create_limited_error(state)

    def _list_windows(self, buckets: Sequence[Bucket]) -> list[Window]:
        return [
            Window(rule, self._digester.compute_key(rule, key, rate.get_expiry()), rate.amount, rate.get_expiry())
            for rule, key in buckets
            for rate in self._rates[rule]
        ]

    def _narrow(self, window: Window) -> Window:
        return Window(window.rule, window.key, max(1, int(window.amount * self._share)), window.seconds)

    async def _take_shared(self, windows: Sequence[Window]) -> Taken | None:
        """None where Redis is away."""
        if self._redis is None or not self._breaker.allow():
            return None
        try:
            taken = await self._redis.take(windows)
        except REDIS_AWAY as error:
            self._note_failure(error)
            return None
        self._breaker.record_success()
        if self._is_alone:
            self._is_alone = False
            logger.info("limits_shared_again")
        return taken

    def _note_failure(self, error: Exception) -> None:
        self._breaker.record_failure()
        if not self._is_alone:
            self._is_alone = True
            logger.warning("limits_without_redis", reason=type(error).__name__)

    def _find_block(self, windows: Sequence[Window]) -> LimitState | None:
        found = (self._blocks.find(window.key) for window in windows)
        return next((state for state in found if state is not None), None)

    def _remember_blocks(self, windows: Sequence[Window], taken: Taken) -> None:
        for window, count in zip(windows, taken.counts, strict=True):
            if count[0] >= window.amount:
                self._blocks.add(window.key, Taken(is_allowed=False, counts=[count]).describe([window]))


def create_limited_error(state: LimitState) -> LimitedError:
    return LimitedError(state.retry_after, state.to_headers())
