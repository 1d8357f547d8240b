"""The count itself: the same in Redis and in a process of its own, over any span of time."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from auth.limits.client import RedisWindows
from auth.limits.config import LimitsConfig
from auth.limits.constants import LimitRule
from auth.limits.schemas import LimitState, Taken, Window
from auth.limits.utils import Blocks, KeyDigester, LocalWindows, account_key, address_key
from chassis.config import ConfigError, load_config
from chassis.testing.clock import HeldClock
from embedded.valkey import EmbeddedValkey

RULE = LimitRule.LOGIN_ACCOUNT
SHORT, LONG = Window(RULE, "a:short", 3, 60), Window(RULE, "a:long", 5, 3600)


@pytest.fixture(scope="module")
def valkey() -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey() as server:
        yield server


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator["Redis"]:
    async with Redis.from_url(valkey.url, decode_responses=True) as client:
        await client.flushall()
        yield client


@pytest.fixture
async def windows(valkey: EmbeddedValkey, redis: "Redis") -> AsyncIterator[RedisWindows]:
    assert await redis.ping()
    opened = RedisWindows(valkey.url, seconds=5)
    yield opened
    await opened.aclose()


class TestRedisWindows:
    async def test_valid(self, windows: RedisWindows) -> None:
        taken = [await windows.take([SHORT, LONG]) for _ in range(4)]
        assert [item.is_allowed for item in taken] == [True, True, True, False]
        [(used, until), (used_long, until_long)] = taken[-1].counts
        assert (used, used_long) == (3, 3)
        assert 0 < until <= 60 < until_long <= 3600

    async def test_what_is_refused_counts_nowhere(self, windows: RedisWindows, redis: "Redis") -> None:
        for _ in range(10):
            await windows.take([SHORT, LONG])
        assert await redis.llen(LONG.key) == SHORT.amount

    async def test_old_moments_leave(self, windows: RedisWindows, redis: "Redis") -> None:
        seconds, _ = await redis.time()
        await redis.rpush(SHORT.key, *[f"{seconds - ago}.5" for ago in (10, 59, 61)])
        assert (await windows.take([SHORT])).is_allowed
        taken = await windows.take([SHORT])
        assert not taken.is_allowed
        assert taken.counts[0][1] <= 2  # when the one of 59 seconds ago leaves

    async def test_keys_expire(self, windows: RedisWindows, redis: "Redis") -> None:
        await windows.take([SHORT, LONG])
        assert [await redis.ttl(key) for key in (SHORT.key, LONG.key)] == [60, 3600]

    async def test_given_back(self, windows: RedisWindows) -> None:
        for _ in range(3):
            await windows.take([SHORT, LONG])
        await windows.give_back([SHORT, LONG])
        assert [(await windows.take([SHORT, LONG])).is_allowed for _ in range(2)] == [True, False]

    async def test_giving_back_nothing(self, windows: RedisWindows, redis: "Redis") -> None:
        await windows.give_back([SHORT])
        assert not await redis.exists(SHORT.key)

    async def test_many_at_once(self, windows: RedisWindows) -> None:
        taken = await asyncio.gather(*(windows.take([SHORT]) for _ in range(100)))
        assert sum(item.is_allowed for item in taken) == SHORT.amount

    async def test_one_round_trip(self, windows: RedisWindows, redis: "Redis") -> None:
        await windows.take([SHORT, LONG])
        before = (await redis.info("commandstats"))["cmdstat_eval"]["calls"]
        total = (await redis.info("stats"))["total_commands_processed"]
        await windows.take([SHORT, LONG])
        stats = await redis.info("commandstats")
        assert stats["cmdstat_eval"]["calls"] == before + 1
        assert (await redis.info("stats"))[
            "total_commands_processed"
        ] - total < 20  # with those of the script, and these


class TestLocalWindows:
    @given(gaps=st.lists(st.floats(0, 40), max_size=60))
    def test_no_span_of_time_has_more_than_the_amount(self, gaps: list[float]) -> None:
        clock, allowed = HeldClock(), list[float]()
        windows = LocalWindows(clock)
        for gap in gaps:
            clock.advance(gap)
            fits = sum(moment > clock.now - SHORT.seconds for moment in allowed) < SHORT.amount
            taken = windows.take([SHORT])
            assert taken.is_allowed == fits
            if taken.is_allowed:
                allowed.append(clock.now)

    def test_what_is_refused_counts_nowhere(self) -> None:
        clock = HeldClock()
        windows = LocalWindows(clock)
        for _ in range(10):
            windows.take([SHORT, LONG])
        clock.advance(61)
        assert [windows.take([SHORT, LONG]).is_allowed for _ in range(3)] == [True, True, False]

    def test_given_back(self) -> None:
        windows = LocalWindows(HeldClock())
        for _ in range(3):
            windows.take([SHORT])
        windows.give_back([SHORT, LONG])
        assert [windows.take([SHORT]).is_allowed for _ in range(2)] == [True, False]

    def test_memory_is_bounded(self) -> None:
        windows = LocalWindows(HeldClock(), max_keys=10)
        for number in range(100):
            windows.take([Window(RULE, str(number), 1, 60)])
            windows.take([SHORT])
        assert len(windows) == 10
        assert not windows.take([SHORT]).is_allowed  # it was never quiet


class TestBlocks:
    def test_for_a_while(self) -> None:
        clock = HeldClock()
        blocks = Blocks(5.0, clock)
        blocks.add("key", LimitState(RULE, 3, 60, 0, 30.0, is_allowed=False))
        clock.advance(4)
        found = blocks.find("key")
        assert found is not None
        assert (found.is_allowed, found.retry_after) == (False, 26)
        clock.advance(2)
        assert blocks.find("key") is None

    def test_never_longer_than_the_limit(self) -> None:
        clock = HeldClock()
        blocks = Blocks(5.0, clock)
        blocks.add("key", LimitState(RULE, 3, 60, 0, 1.0, is_allowed=False))
        clock.advance(1)
        assert blocks.find("key") is None

    def test_memory_is_bounded(self) -> None:
        blocks = Blocks(5.0, HeldClock(), max_keys=2)
        for key in ("a", "b", "c"):
            blocks.add(key, LimitState(RULE, 3, 60, 0, 30.0, is_allowed=False))
        assert blocks.find("a") is None
        assert blocks.find("c") is not None


class TestDescribe:
    def test_the_one_that_leaves_least(self) -> None:
        state = Taken(is_allowed=True, counts=[(1, 60.0), (4, 3600.0)]).describe([SHORT, LONG])
        assert (state.amount, state.remaining, state.is_allowed) == (5, 1, True)

    def test_the_one_that_lasts_longest(self) -> None:
        state = Taken(is_allowed=False, counts=[(3, 60.0), (5, 3599.2)]).describe([SHORT, LONG])
        assert (state.amount, state.remaining, state.is_allowed, state.retry_after) == (5, 0, False, 3600)

    def test_headers_are_those_of_the_draft(self) -> None:
        state = LimitState(LimitRule.SIGN_UP, 20, 3600, 3, 12.1, is_allowed=True)
        assert state.to_headers() == {
            "RateLimit": '"sign-up";r=3;t=13',
            "RateLimit-Policy": '"sign-up";q=20;w=3600',
        }


class TestKeys:
    @pytest.mark.parametrize(
        ("one", "other", "is_same"),
        [
            ("203.0.113.7", "203.0.113.7", True),
            ("203.0.113.7", "203.0.113.8", False),
            ("203.0.113.7", "::ffff:203.0.113.7", True),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ],
    )
    def test_address(self, one: str, other: str, *, is_same: bool) -> None:
        assert (address_key(one) == address_key(other)) is is_same

    @pytest.mark.parametrize("address", [None, "", "unix:", "testclient"])
    def test_no_address(self, address: str | None) -> None:
        assert address_key(address).startswith("address:")

    def test_keys_do_not_tell_who_it_is(self) -> None:
        digester = KeyDigester(b"secret")
        key = digester.compute_key(RULE, account_key("ada@people.example"), 60)
        assert key.startswith("limits:login_account:")
        assert "ada" not in key
        assert key != KeyDigester(b"other").compute_key(RULE, account_key("ada@people.example"), 60)
        assert key != digester.compute_key(LimitRule.RESET, account_key("ada@people.example"), 60)


class TestLimitsConfig:
    @pytest.mark.parametrize("rates", ["often", "10", "10 per fortnight", ""])
    def test_rates_of_another_shape(self, monkeypatch: pytest.MonkeyPatch, rates: str) -> None:
        monkeypatch.setenv("LIMITS_SIGN_UP", rates)
        load_config.cache_clear()
        with pytest.raises(ConfigError, match="LIMITS_SIGN_UP"):
            load_config(LimitsConfig)

    def test_defaults_let_nobody_guess_for_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for rule in LimitRule:
            monkeypatch.delenv(f"LIMITS_{rule.name}")
        config = LimitsConfig()
        for rule in (LimitRule.LOGIN_ACCOUNT, LimitRule.LOGIN_DEVICE, LimitRule.SECOND_FACTOR):
            daily = [rate.amount for rate in config.get_rates(rule) if rate.get_expiry() == 86_400]
            assert daily
            assert max(daily) <= 100
