"""A token in a service that did not issue it, beside the bare signature."""

import statistics
import time
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.utils import base64url_decode

from benchmarks.auth.figures import Figure, Sample, take_turns
from benchmarks.auth.http import connect
from benchmarks.auth.people import create_people
from benchmarks.auth.stack import AuthStack
from chassis.config import load_config
from chassis.http.client import ServiceClient
from chassis.security.config import TokenConfig
from chassis.security.jwks import RemoteKeySet
from chassis.security.verifier import TokenVerifier, read_key_id
from embedded.ports import LOOPBACK

TOKENS: Final = 300
ROUNDS: Final = 10
REPEATS: Final = 20

FIRST_GOAL: Final = 1.5
REMEMBERED_GOAL_US: Final = 5.0


class VerificationBench:
    """Holds what another service holds: tokens, and the keys that it has fetched. Auth is gone by then."""

    def __init__(self, tokens: list[str], keys: RemoteKeySet, key: Ed25519PublicKey) -> None:
        self._tokens = tokens
        self._keys = keys
        self._key = key
        self._verifier = self._create_verifier()

    def _create_verifier(self) -> TokenVerifier:
        return TokenVerifier.from_config(self._keys, load_config(TokenConfig))

    async def measure_bare(self) -> Sample:
        parts = [token.rpartition(".") for token in self._tokens]
        signed = [(base64url_decode(signature), content.encode()) for content, _, signature in parts]
        times = []
        for signature, content in signed:
            started_at = time.perf_counter_ns()
            self._key.verify(signature, content)
            times.append(time.perf_counter_ns() - started_at)
        return Sample(statistics.median(times) / 1000)

    async def measure_first(self) -> Sample:
        self._verifier = self._create_verifier()
        times = []
        for token in self._tokens:
            started_at = time.perf_counter_ns()
            await self._verifier.verify_user_token(token)
            times.append(time.perf_counter_ns() - started_at)
        return Sample(statistics.median(times) / 1000)

    async def measure_remembered(self) -> Sample:
        for token in self._tokens:
            await self._verifier.verify_user_token(token)
        times = []
        for _ in range(REPEATS):
            started_at = time.perf_counter_ns()
            for token in self._tokens:
                await self._verifier.verify_user_token(token)
            times.append((time.perf_counter_ns() - started_at) / len(self._tokens))
        return Sample(statistics.median(times) / 1000)


async def prepare(port: int) -> VerificationBench:
    (person,) = await create_people(1, port)
    tokens = []
    async with connect(port) as (connection,), ServiceClient("auth", f"http://{LOOPBACK}:{port}") as auth:
        for _ in range(TOKENS):
            tokens.append(person.access_token)
            await person.refresh(connection)
        keys = RemoteKeySet(auth)
        key = await keys.get_key(read_key_id(tokens[0]))
    if key is None:
        raise RuntimeError("auth does not publish the key that it signs with")
    return VerificationBench(tokens, keys, key)


async def run(stack: AuthStack) -> list[Figure]:
    with stack.run_api() as port:
        bench = await prepare(port)
    turns = await take_turns(
        "verifying tokens", ROUNDS, bench.measure_bare, bench.measure_first, bench.measure_remembered
    )
    bare, first, remembered = (turns.get_median(measure) for measure in range(3))
    limit, ratio = f"{bare:.0f} µs: one bare Ed25519 verification", turns.get_ratio(1)
    return [
        Figure(
            "token verified for the first time",
            f"the price of one signature (≤ {FIRST_GOAL})",
            f"{first:.0f} µs",
            limit,
            ratio,
            ratio <= FIRST_GOAL,
        ),
        Figure(
            "token that is remembered",
            f"< {REMEMBERED_GOAL_US:.0f} µs",
            f"{remembered:.2f} µs",
            limit,
            turns.get_ratio(2),
            remembered < REMEMBERED_GOAL_US,
        ),
    ]
