"""A login tells nobody, by its time either, whether an address is registered."""

import time
from collections.abc import Awaitable, Callable, Sequence

import httpx
import pytest
from fastapi import FastAPI

from auth.profiles.models import Profile
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

CreateProfile = Callable[..., Awaitable[Profile]]
RequestToken = Callable[..., Awaitable[httpx.Response]]

WRONG = "Wrong-Horse-8-Battery"
SAMPLES = 150
ROUNDS = 4
FAR_FROM_EVEN = 0.6


def compute_auc(one: Sequence[float], other: Sequence[float]) -> float:
    """Mann-Whitney: how often a guess by the time alone would be right; a half is pure chance."""
    wins = sum((first > second) + (first == second) / 2 for first in one for second in other)
    return wins / (len(one) * len(other))


class TestComputeAuc:
    def test_alike(self) -> None:
        assert compute_auc([1, 2, 3, 4], [1, 2, 3, 4]) == 0.5

    def test_a_little_longer_shows(self) -> None:
        quick = [index % 10 for index in range(100)]
        assert compute_auc([moment + 2 for moment in quick], quick) > FAR_FROM_EVEN


class TestUnknownAddress:
    @pytest.fixture
    async def email(self, app: FastAPI, database: RolledBackDatabase, create_profile: CreateProfile) -> str:
        assert app.state.database is database
        return f"{(await create_profile(database)).username}@people.example"

    async def test_same_statements_and_hashes(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        request_token: RequestToken,
        monkeypatch: pytest.MonkeyPatch,
        email: str,
    ) -> None:
        hashes: list[str] = []
        verify = app.state.hashing._verify

        def record(stored: str, given: str) -> bool:
            hashes.append(stored[:20])
            is_valid: bool = verify(stored, given)
            return is_valid

        monkeypatch.setattr(app.state.hashing, "_verify", record)
        await app.state.key_ring.get_signing_key()  # which is read once
        seen = []
        for name in (email, "nobody@people.example", "no address at all"):
            with record_statements(database) as statements:
                assert (await request_token(client, username=name, password=WRONG)).status_code == 401
            seen.append(statements)
        assert seen[0] == seen[1] == seen[2]
        assert len(hashes) == 3
        assert len(set(hashes)) == 1  # the same parameters

    async def test_takes_as_long(
        self, committed_app: FastAPI, create_profile: CreateProfile, committed_client: httpx.AsyncClient,
        request_token: RequestToken,
    ) -> None:  # fmt: skip
        """Taken in turns, so that what else the machine does falls on both.

        Passwords here are cheap to hash, which makes whatever differs stand out. A noisy machine may upset a round; a
        difference upsets all.
        """
        profile = await create_profile(committed_app.state.database)
        known = f"{profile.username}@people.example"
        found = []
        for _ in range(ROUNDS):
            seconds: dict[str, list[float]] = {known: [], "nobody_at_all@people.example": []}
            for number in range(SAMPLES):
                # Who comes first changes: the second may profit from the first.
                for name in sorted(seconds, reverse=number % 2 == 0):
                    began = time.perf_counter()
                    await request_token(committed_client, username=name, password=WRONG)
                    seconds[name].append(time.perf_counter() - began)
            found.append(compute_auc(*seconds.values()))
            if 1 - FAR_FROM_EVEN <= found[-1] <= FAR_FROM_EVEN:
                return
        pytest.fail(f"an address that somebody has can be told by the time of an answer: {found}")
