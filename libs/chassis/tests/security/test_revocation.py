"""Ended sessions on their way from Redis into memory, with Redis as unreliable as it may be."""

import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from chassis.security.revocation import (
    CHANNEL,
    KEPT_SECONDS,
    SORTED_SET,
    RevocationFeed,
    RevocationMap,
    create_redis,
    publish_revocations,
    write_revocations,
)
from chassis.testing.clock import HeldClock
from chassis.testing.polling import wait_until
from embedded.ports import get_free_port
from embedded.valkey import EmbeddedValkey

MALFORMED = ["", "null", "{}", "[1]", '[["one"]]', '[["one", "soon"]]', "\xff", "[" * 9000]


@pytest.fixture
def valkey() -> Iterator[EmbeddedValkey]:
    """On a port that stays the same when it restarts."""
    with EmbeddedValkey(port=get_free_port()) as server:
        yield server


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    async with create_redis(valkey.url) as opened:
        yield opened


@pytest.fixture
async def feed(valkey: EmbeddedValkey) -> AsyncIterator[RevocationFeed]:
    async with RevocationFeed(valkey.url) as opened:
        await until(opened.connected.is_set, seconds=10)
        yield opened


async def until(check: Callable[[], bool], *, seconds: float, interval: float = 0.02) -> None:
    async def read() -> bool:
        return check()

    await wait_until(read, seconds=seconds, interval=interval)


async def wait_for(feed: RevocationFeed, session_id: str, *, seconds: float = 20) -> None:
    await until(lambda: session_id in feed.revocations, seconds=seconds, interval=0.005)


class TestRevocationMap:
    def test_forgets_what_no_token_can_be_left_of(self, clock: HeldClock) -> None:
        revocations = RevocationMap(clock)
        revocations.add("old", clock() - KEPT_SECONDS - 1)
        revocations.add("recent", clock() - KEPT_SECONDS + 1)
        revocations.prune()
        assert "recent" in revocations
        assert len(revocations) == 1

    @given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 1e4))), st.floats(0, 1e4))
    def test_holds_exactly_what_was_added_and_is_recent(self, entries: list[tuple[str, float]], now: float) -> None:
        """In whatever order, however often; of two moments for one session the first that came counts."""
        revocations = RevocationMap(lambda: now)
        first: dict[str, float] = {}
        for session_id, revoked_at in entries:
            assert revocations.add(session_id, revoked_at) is (session_id not in first)
            first.setdefault(session_id, revoked_at)
        revocations.prune()
        left = {session_id for session_id, revoked_at in first.items() if revoked_at >= now - KEPT_SECONDS}
        assert {session_id for session_id in "abcdef" if session_id in revocations} == left


class TestRevocationFeed:
    async def test_valid(self, feed: RevocationFeed, redis: Redis) -> None:
        started_at = time.monotonic()
        await publish_revocations(redis, [("one", time.time()), ("two", time.time())])
        await wait_for(feed, "one")
        assert time.monotonic() - started_at < 1
        assert "two" in feed.revocations

    async def test_all_processes_hear_it(self, valkey: EmbeddedValkey, feed: RevocationFeed, redis: Redis) -> None:
        async with RevocationFeed(valkey.url) as other:
            await until(other.connected.is_set, seconds=10)
            await publish_revocations(redis, [("one", time.time())])
            await wait_for(feed, "one")
            await wait_for(other, "one")

    async def test_late_comer_reads_what_was_published_before(self, valkey: EmbeddedValkey, redis: Redis) -> None:
        await write_revocations(redis, [("recent", time.time()), ("old", time.time() - KEPT_SECONDS - 1)])
        async with RevocationFeed(valkey.url) as late:
            await wait_for(late, "recent")
            assert "old" not in late.revocations

    async def test_lost_message_is_found_in_the_set(self, feed: RevocationFeed, redis: Redis) -> None:
        await write_revocations(redis, [("unheard", time.time())])
        await wait_for(feed, "unheard")

    async def test_redis_restarts_empty(self, valkey: EmbeddedValkey, feed: RevocationFeed, redis: Redis) -> None:
        """What was known stays known, and what is written again afterwards is heard again."""
        await publish_revocations(redis, [("before", time.time())])
        await wait_for(feed, "before")
        valkey.stop()
        await until(lambda: not feed.connected.is_set(), seconds=20)
        assert "before" in feed.revocations
        valkey.start()
        await until(feed.connected.is_set, seconds=20)
        async with create_redis(valkey.url) as again:
            await publish_revocations(again, [("after", time.time())])
        await wait_for(feed, "after")

    async def test_starts_without_redis(self) -> None:
        async with RevocationFeed(f"redis://127.0.0.1:{get_free_port()}/0") as feed:
            assert not feed.connected.is_set()
            assert len(feed.revocations) == 0

    @pytest.mark.parametrize(
        "message", ["", "null", "{}", "[1]", '[["one"]]', '[["one", "soon"]]', "\xff", "[" * 9000], ids=range(8)
    )
    async def test_malformed_message(self, feed: RevocationFeed, redis: Redis, message: str) -> None:
        await redis.publish(CHANNEL, message)
        await publish_revocations(redis, [("next", time.time())])
        await wait_for(feed, "next")
        assert len(feed.revocations) == 1


class TestWriteRevocations:
    async def test_same_again_changes_nothing(self, redis: Redis) -> None:
        now = time.time()
        for _ in range(2):
            await write_revocations(redis, [("one", now)])
        assert await redis.zrange(SORTED_SET, 0, -1, withscores=True) == [("one", now)]

    async def test_many(self, redis: Redis, feed: RevocationFeed) -> None:
        entries = [(f"session-{number}", time.time()) for number in range(2_001)]
        await write_revocations(redis, entries)
        await publish_revocations(redis, entries)
        await wait_for(feed, "session-2000")
        assert await redis.zcard(SORTED_SET) == 2_001
        assert len(feed.revocations) == 2_001

    async def test_nothing(self, redis: Redis) -> None:
        await write_revocations(redis, [])
        await publish_revocations(redis, [])
        assert await redis.zcard(SORTED_SET) == 0
