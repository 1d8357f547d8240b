"""Signing keys under any order of rotations, withdrawals, pauses and forgeries: whoever verifies knows the key.

The hours pass without waiting: what the database has noted moves into the past, and the clocks of the processes go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, update

from auth.keys.config import KeysConfig
from auth.keys.constants import ACCESS_TOKEN_SECONDS, RETIRED_KEPT, KeyState
from auth.keys.exceptions import NextKeyTooYoungError
from auth.keys.models import KeyPair
from auth.keys.service import (
    KeyRing,
    delete_retired_keys,
    ensure_signing_key,
    list_keys,
    rotate_due_keys,
    rotate_keys,
    withdraw_key,
)
from chassis.config import load_config
from chassis.database.engine import Database
from chassis.http.client import ServiceClient
from chassis.http.transport import ASGITransport
from chassis.security.constants import LEEWAY_SECONDS
from chassis.security.jwks import JWKS_PATH, STALE_AFTER_SECONDS, RemoteKeySet, parse_jwks
from chassis.security.revocation import RevocationMap
from chassis.testing.clock import HeldClock

ResultT = TypeVar("ResultT")

PERIOD, MIN_AGE = 90 * 86_400, 600
STEP = 40
"""Time goes in steps longer than a service needs to find a new key, and than a test takes."""
PROCESSES = 2


class ListKeeper:
    """A verifier of somebody else, as lazy as may be: it never asks because of a key that it does not know."""

    def __init__(self, client: ServiceClient, clock: HeldClock) -> None:
        self._client = client
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._fetched_at = float("-inf")

    async def get_key(self, kid: str) -> object | None:
        if self._clock() - self._fetched_at >= STALE_AFTER_SECONDS:
            self._keys = parse_jwks(await self._client.get_json(JWKS_PATH), "auth")
            self._fetched_at = self._clock()
        return self._keys.get(kid)


@dataclass
class World:
    """Processes of auth, and those who verify, reached from the machine's thread."""

    loop: asyncio.AbstractEventLoop
    database: Database
    fernet: Fernet
    apps: list[FastAPI]
    clock: HeldClock = field(default_factory=HeldClock)
    revocations: RevocationMap = field(default_factory=RevocationMap)

    def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def begin(self) -> None:
        """No keys of the example before, and nobody knows any."""
        async with self.database.transaction() as session:
            await session.execute(delete(KeyPair))
            await ensure_signing_key(session, self.fernet)
        self.revocations = RevocationMap()
        self.rings, self.services, self.keepers = [], [], []
        for app in self.apps:
            ring = KeyRing(self.database.reader, self.fernet, self.revocations, clock=self.clock)
            app.state.key_ring = ring
            client = ServiceClient("auth", "http://auth", backend=ASGITransport(app))
            self.rings.append(ring)
            self.services.append(RemoteKeySet(client, clock=self.clock))
            self.keepers.append(ListKeeper(client, self.clock))

    async def let_pass(self, seconds: int) -> None:
        self.clock.advance(seconds)
        columns = (KeyPair.created_at, KeyPair.activated_at, KeyPair.retired_at)
        async with self.database.transaction() as session:
            earlier = {column: column - timedelta(seconds=seconds) for column in columns}
            await session.execute(update(KeyPair).values(earlier))

    async def read_keys(self) -> list[tuple[KeyState, UUID]]:
        async with self.database.transaction() as session:
            return [(KeyState(pair.state), pair.id) for pair in await list_keys(session)]

    async def rotate(self) -> UUID:
        async with self.database.transaction() as session:
            return await rotate_keys(session, self.fernet, min_age=timedelta(seconds=MIN_AGE))

    async def rotate_due(self) -> UUID | None:
        period, min_age = timedelta(seconds=PERIOD), timedelta(seconds=MIN_AGE)
        async with self.database.transaction() as session:
            return await rotate_due_keys(session, self.fernet, period=period, min_age=min_age)

    async def withdraw(self, kid: UUID) -> None:
        async with self.database.transaction() as session:
            await withdraw_key(session, self.fernet, kid)
        self.revocations.add(str(kid), self.clock())

    async def prune(self) -> None:
        async with self.database.transaction() as session:
            await delete_retired_keys(session)


class KeyMachine(RuleBasedStateMachine):
    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.world.run(self.world.begin())
        self.now = 0
        self.published: dict[UUID, int] = {}
        self.activated: dict[UUID, int] = {}
        self.retired: dict[UUID, int] = {}
        self.tokens: dict[UUID, int] = {}
        """The keys of those that are still good, and when each signed last."""
        self.current, self.next = self.note_keys()

    def note_keys(self) -> tuple[UUID, UUID]:
        keys = {state: kid for state, kid in self.world.run(self.world.read_keys()) if state is not KeyState.RETIRED}
        self.published.setdefault(keys[KeyState.CURRENT], self.now)
        self.published.setdefault(keys[KeyState.NEXT], self.now)
        self.activated.setdefault(keys[KeyState.CURRENT], self.now)
        return keys[KeyState.CURRENT], keys[KeyState.NEXT]

    def note_rotation(self) -> None:
        former, following = self.current, self.next
        self.retired[former] = self.now
        self.current, self.next = self.note_keys()
        assert self.current == following
        assert self.next not in {former, following}

    @rule(steps=st.one_of(st.integers(1, 20), st.sampled_from([90 * 2160, 89 * 2160])))
    def let_pass(self, steps: int) -> None:
        self.world.run(self.world.let_pass(steps * STEP))
        self.now += steps * STEP
        oldest = self.now - ACCESS_TOKEN_SECONDS - LEEWAY_SECONDS
        self.tokens = {kid: moment for kid, moment in self.tokens.items() if moment >= oldest}

    @rule(process=st.integers(0, PROCESSES - 1))
    def issue(self, process: int) -> None:
        kid = UUID(self.world.run(self.world.rings[process].get_signing_key()).kid)
        assert kid in {self.current, *self.retired}
        self.tokens[kid] = self.now

    @rule(waits=st.booleans())
    def rotate(self, waits: bool) -> None:
        if waits:
            self.let_pass(MIN_AGE // STEP)
        if self.now - self.published[self.next] < MIN_AGE:
            with pytest.raises(NextKeyTooYoungError):
                self.world.run(self.world.rotate())
        else:
            self.world.run(self.world.rotate())
            self.note_rotation()

    @rule()
    def rotate_by_calendar(self) -> None:
        is_spent = self.now - self.activated[self.current] >= PERIOD
        is_known = self.now - self.published[self.next] >= MIN_AGE
        rotated = self.world.run(self.world.rotate_due())
        assert (rotated is not None) == (is_spent and is_known)
        if rotated is not None:
            self.note_rotation()

    @rule(number=st.integers(0, 3))
    def withdraw(self, number: int) -> None:
        kid = [self.current, self.next, *sorted(self.retired)][: number + 1][-1]
        if kid in self.retired and self.now - self.retired[kid] >= RETIRED_KEPT.total_seconds():
            return
        following = self.next if kid == self.current else self.current
        self.world.run(self.world.withdraw(kid))
        self.retired.pop(kid, None)
        self.tokens.pop(kid, None)
        self.current, self.next = self.note_keys()
        assert self.current == following

    @rule(process=st.integers(0, PROCESSES - 1), number=st.integers())
    def forge(self, process: int, number: int) -> None:
        """With a key that nobody has, which may be what a service asks for just before a new key comes."""
        assert self.world.run(self.world.services[process].get_key(f"invented-{abs(number)}"[:100])) is None

    @rule(process=st.integers(0, PROCESSES - 1))
    def verify(self, process: int) -> None:
        for kid in self.tokens:
            age = self.now - self.published[kid]
            if age >= STEP:  # younger only where one key after the other was withdrawn
                assert self.world.run(self.world.rings[process].get_key(str(kid))) is not None
                assert self.world.run(self.world.services[process].get_key(str(kid))) is not None
            if age >= STALE_AFTER_SECONDS + STEP:
                assert self.world.run(self.world.keepers[process].get_key(str(kid))) is not None

    @rule()
    def prune(self) -> None:
        self.world.run(self.world.prune())
        for kid in [kid for kid, moment in self.retired.items() if self.now - moment >= RETIRED_KEPT.total_seconds()]:
            del self.retired[kid]

    @invariant()
    def works(self) -> None:
        """There is always somebody who logs in, and who calls."""
        self.issue(0)
        self.verify(0)

    @invariant()
    def holds(self) -> None:
        """What the database has is what was expected, and never a key that was withdrawn."""
        keys = self.world.run(self.world.read_keys())
        expected = {(KeyState.CURRENT, self.current), (KeyState.NEXT, self.next)}
        assert set(keys) == expected | {(KeyState.RETIRED, kid) for kid in self.retired}


@pytest.mark.timeout(240)
async def test_any_order(committed_database: Database, build_app: Callable[[Database], Awaitable[FastAPI]]) -> None:
    fernet = load_config(KeysConfig).create_fernet()
    apps = [await build_app(committed_database) for _ in range(PROCESSES)]
    world = World(asyncio.get_running_loop(), committed_database, fernet, apps)
    few = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    await asyncio.to_thread(run_state_machine_as_test, type("Machine", (KeyMachine,), {"world": world}), settings=few)
