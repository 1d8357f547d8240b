"""`RateLimiter`: with Redis, without it, and while it comes and goes."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing

import pytest
from redis.asyncio import Redis

from auth.limits.client import RedisWindows
from auth.limits.config import LimitsConfig
from auth.limits.constants import RECOVERY_SECONDS, REDIS_SECONDS, LimitRule
from auth.limits.exceptions import LimitedError
from auth.limits.service import RateLimiter
from auth.limits.utils import account_key, address_key
from chassis.logs import configure_logging
from chassis.testing.clock import HeldClock
from embedded.ports import get_free_port
from embedded.valkey import EmbeddedValkey

RULE = LimitRule.LOGIN_ACCOUNT
SECRET = b"of-the-limits"
KEY = account_key("ada@people.example")

CreateLimiter = Callable[..., RateLimiter]


@pytest.fixture
def config() -> LimitsConfig:
    return LimitsConfig(login_account="8/minute;20/day", sign_up="8/minute")


@pytest.fixture
def valkey() -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(port=get_free_port()) as server:
        yield server


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def create_limiter(config: LimitsConfig, clock: HeldClock) -> AsyncIterator[CreateLimiter]:
    opened: list[RateLimiter] = []

    def create(url: str, *, seconds: float = 5.0) -> RateLimiter:
        # Patient: on a busy machine the Redis of a test may take its time, and is not away for that.
        limiter = RateLimiter(config, SECRET, RedisWindows(url, seconds), clock=clock)
        opened.append(limiter)
        return limiter

    yield create
    for limiter in opened:
        async with limiter:
            pass


async def count_allowed(limiter: RateLimiter, number: int, key: str = KEY) -> int:
    return sum([(await limiter.hit(RULE, key)).is_allowed for _ in range(number)])


class TestWithRedis:
    async def test_valid(self, valkey: EmbeddedValkey, create_limiter: CreateLimiter) -> None:
        limiter = create_limiter(valkey.url)
        states = [await limiter.hit(RULE, KEY) for _ in range(9)]
        assert [state.remaining for state in states] == [7, 6, 5, 4, 3, 2, 1, 0, 0]
        assert [state.is_allowed for state in states] == [True] * 8 + [False]

    async def test_refusal_says_when(self, valkey: EmbeddedValkey, create_limiter: CreateLimiter) -> None:
        limiter = create_limiter(valkey.url)
        await count_allowed(limiter, 8)
        with pytest.raises(LimitedError) as caught:
            await limiter.check(RULE, KEY)
        headers = caught.value.headers
        assert 1 <= int(headers["Retry-After"]) <= 60
        assert headers["RateLimit"].startswith('"login-account";r=0;t=')
        assert headers["RateLimit-Policy"] == '"login-account";q=8;w=60'

    async def test_processes_share_the_count(self, valkey: EmbeddedValkey, create_limiter: CreateLimiter) -> None:
        one, other = create_limiter(valkey.url), create_limiter(valkey.url)
        assert await count_allowed(one, 6) + await count_allowed(other, 6) == 8

    async def test_two_processes_at_once(self, valkey: EmbeddedValkey, create_limiter: CreateLimiter) -> None:
        limiters = [create_limiter(valkey.url) for _ in range(2)]
        counts = await asyncio.gather(*(count_allowed(limiter, 1) for limiter in limiters * 20))
        assert sum(counts) == 8

    async def test_keys_of_others_are_not_touched(self, valkey: EmbeddedValkey, create_limiter: CreateLimiter) -> None:
        limiter = create_limiter(valkey.url)
        await count_allowed(limiter, 20)
        assert (await limiter.hit(RULE, account_key("eve@people.example"))).is_allowed
        assert (await limiter.hit(LimitRule.SIGN_UP, KEY)).is_allowed

    async def test_one_without_room_stops_all(self, valkey: EmbeddedValkey, create_limiter: CreateLimiter) -> None:
        limiter = create_limiter(valkey.url)
        await count_allowed(limiter, 8)
        buckets = [(RULE, KEY), (LimitRule.SIGN_UP, address_key("203.0.113.7"))]
        for _ in range(5):
            with pytest.raises(LimitedError):
                await limiter.check_all(buckets)
        assert (await limiter.hit(*buckets[1])).remaining == 7

    async def test_given_back(self, valkey: EmbeddedValkey, create_limiter: CreateLimiter) -> None:
        limiter = create_limiter(valkey.url)
        for _ in range(30):
            assert (await limiter.hit(RULE, KEY)).is_allowed
            await limiter.give_back(RULE, KEY)

    async def test_refused_again_without_asking(
        self, valkey: EmbeddedValkey, create_limiter: CreateLimiter, clock: HeldClock
    ) -> None:
        limiter = create_limiter(valkey.url)
        await count_allowed(limiter, 9)
        async with Redis.from_url(valkey.url) as redis:
            await redis.flushall()
        assert await count_allowed(limiter, 3) == 0
        with pytest.raises(LimitedError):
            limiter.refuse_blocked(RULE, KEY)
        clock.advance(10)
        limiter.refuse_blocked(RULE, KEY)
        assert await count_allowed(limiter, 3) == 3

    async def test_redis_is_told_nobody(self, valkey: EmbeddedValkey, create_limiter: CreateLimiter) -> None:
        limiter = create_limiter(valkey.url)
        await limiter.hit_all([(RULE, KEY), (LimitRule.SIGN_UP, address_key("203.0.113.7"))])
        async with Redis.from_url(valkey.url, decode_responses=True) as redis:
            keys = await redis.keys()
        assert len(keys) == 3
        assert not [key for key in keys if "ada" in key or "203.0.113" in key]


class TestWithoutRedis:
    async def test_stricter(self, create_limiter: CreateLimiter) -> None:
        limiter = create_limiter(f"redis://127.0.0.1:{get_free_port()}/0")
        assert await count_allowed(limiter, 10) == 2  # a quarter of 8

    async def test_never_none(self) -> None:
        limiter = RateLimiter(LimitsConfig(login_account="1/minute"), SECRET, None)
        assert await count_allowed(limiter, 3) == 1

    async def test_given_back(self, create_limiter: CreateLimiter) -> None:
        limiter = create_limiter(f"redis://127.0.0.1:{get_free_port()}/0")
        for _ in range(30):
            assert (await limiter.hit(RULE, KEY)).is_allowed
            await limiter.give_back(RULE, KEY)

    async def test_slow_is_as_good_as_away(self, create_limiter: CreateLimiter) -> None:
        """Something that takes connections and never answers costs a few requests a tenth of a second, others none."""
        with closing(socket.create_server(("127.0.0.1", 0), backlog=100)) as server:
            limiter = create_limiter(f"redis://127.0.0.1:{server.getsockname()[1]}/0", seconds=REDIS_SECONDS)
            began = time.monotonic()
            for number in range(50):
                assert (await limiter.hit(RULE, account_key(number))).is_allowed
            assert time.monotonic() - began < 2.0

    async def test_told_once(self, create_limiter: CreateLimiter, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging("INFO")
        limiter = create_limiter(f"redis://127.0.0.1:{get_free_port()}/0")
        for number in range(20):
            await limiter.hit(RULE, account_key(number))
        output = capsys.readouterr().out
        assert output.count("limits_without_redis") == 1
        assert "ada" not in output


class TestRedisGoesAndComes:
    async def test_killed_midway(
        self,
        valkey: EmbeddedValkey,
        create_limiter: CreateLimiter,
        clock: HeldClock,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        configure_logging("INFO")
        limiter = create_limiter(valkey.url)
        assert await count_allowed(limiter, 5) == 5
        valkey.stop()
        assert await count_allowed(limiter, 10) == 2
        valkey.start()
        clock.advance(RECOVERY_SECONDS + 10)
        assert await count_allowed(limiter, 10) == 8  # it has forgotten all
        output = capsys.readouterr().out
        assert output.count("limits_without_redis") == 1
        assert output.count("limits_shared_again") == 1

    async def test_restart_between_two_requests_is_not_noticed(
        self, valkey: EmbeddedValkey, create_limiter: CreateLimiter, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure_logging("INFO")
        limiter = create_limiter(valkey.url)
        await limiter.hit(RULE, KEY)
        valkey.stop()
        valkey.start()
        assert (await limiter.hit(RULE, KEY)).remaining == 7
        assert "limits_without_redis" not in capsys.readouterr().out
