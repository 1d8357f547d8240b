import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from fastapi import FastAPI
from jwt.algorithms import OKPAlgorithm

from chassis.http.client import ServiceClient
from chassis.http.exceptions import UpstreamUnavailableError
from chassis.http.policy import ClientPolicy
from chassis.security.config import TokenConfig
from chassis.security.jwks import (
    MIN_REFETCH_SECONDS,
    REFRESH_AFTER_SECONDS,
    RETRY_SECONDS,
    STALE_AFTER_SECONDS,
    RemoteKeySet,
    StaticKeySet,
    parse_jwks,
)
from chassis.security.verifier import TokenVerifier
from chassis.testing.clock import HeldClock
from chassis.testing.tokens import TokenSigner
from chassis.testing.upstreams import ScriptedUpstream


@pytest.fixture
def old() -> TokenSigner:
    return TokenSigner("old")


@pytest.fixture
def new() -> TokenSigner:
    return TokenSigner("new")


@pytest.fixture
def auth(old: TokenSigner) -> ScriptedUpstream:
    return ScriptedUpstream().answer(200, old.jwks())


@pytest.fixture
async def keys(auth: ScriptedUpstream, clock: HeldClock) -> AsyncIterator[RemoteKeySet]:
    policy = ClientPolicy(max_retries=0, failure_threshold=10_000)
    async with ServiceClient("auth", "http://auth", policy=policy, backend=auth.backend) as client:
        yield RemoteKeySet(client, clock=clock)


async def settle(keys: RemoteKeySet) -> None:
    """Wait for the fetch beside the request."""
    await asyncio.wait([keys._flight.start()])


class TestGetKey:
    async def test_valid(self, keys: RemoteKeySet, auth: ScriptedUpstream, old: TokenSigner) -> None:
        for _ in range(5):
            assert await keys.get_key("old") == old.private_key.public_key()

        assert [seen.path for seen in auth.requests] == ["/.well-known/jwks.json"]
        assert "Authorization" not in auth.requests[0].headers

    async def test_rotation(
        self, keys: RemoteKeySet, auth: ScriptedUpstream, old: TokenSigner, new: TokenSigner, clock: HeldClock
    ) -> None:
        await keys.get_key("old")
        auth.clear().answer(200, {"keys": old.jwks()["keys"] + new.jwks()["keys"]})
        clock.advance(MIN_REFETCH_SECONDS)

        assert await keys.get_key("new") == new.private_key.public_key()
        assert await keys.get_key("old") is not None
        assert len(auth.requests) == 1

    async def test_invented_keys_do_not_become_fetches(
        self, keys: RemoteKeySet, auth: ScriptedUpstream, clock: HeldClock
    ) -> None:
        await keys.get_key("old")

        for number in range(1000):
            assert await keys.get_key(f"invented-{number}") is None
            clock.advance(0.1)

        assert len(auth.requests) <= 1 + 100 / MIN_REFETCH_SECONDS

    @pytest.mark.parametrize("kid", ["", "../etc/passwd", "' or 1=1", "a" * 101, "new\n", "http://x"])
    async def test_what_cannot_be_a_key(self, keys: RemoteKeySet, auth: ScriptedUpstream, kid: str) -> None:
        assert await keys.get_key(kid) is None
        assert auth.requests == []

    async def test_single_flight(self, keys: RemoteKeySet, auth: ScriptedUpstream) -> None:
        results = await asyncio.gather(*(keys.get_key("old") for _ in range(100)))

        assert None not in results
        assert len(auth.requests) == 1

    async def test_refreshed_beside_the_request(
        self, keys: RemoteKeySet, auth: ScriptedUpstream, old: TokenSigner, new: TokenSigner, clock: HeldClock
    ) -> None:
        await keys.get_key("old")
        auth.clear().answer(200, {"keys": old.jwks()["keys"] + new.jwks()["keys"]})
        clock.advance(REFRESH_AFTER_SECONDS)

        assert await keys.get_key("old") is not None
        assert auth.requests == []
        await settle(keys)

        assert await keys.get_key("new") is not None
        assert len(auth.requests) == 1

    async def test_withdrawn_key(
        self, keys: RemoteKeySet, auth: ScriptedUpstream, new: TokenSigner, clock: HeldClock
    ) -> None:
        """Also for a process that was idle meanwhile: an old set is not used before auth was asked."""
        await keys.get_key("old")
        auth.clear().answer(200, new.jwks())
        clock.advance(STALE_AFTER_SECONDS)

        assert await keys.get_key("old") is None


class TestAuthAway:
    @pytest.mark.parametrize("seconds", [REFRESH_AFTER_SECONDS, STALE_AFTER_SECONDS, 86_400])
    async def test_known_keys_go_on(
        self, keys: RemoteKeySet, auth: ScriptedUpstream, clock: HeldClock, seconds: float
    ) -> None:
        await keys.get_key("old")
        auth.clear().fail()
        clock.advance(seconds)

        for _ in range(100):
            assert await keys.get_key("old") is not None
        await settle(keys)

        assert len(auth.requests) <= 2

    async def test_unknown_key(self, keys: RemoteKeySet, auth: ScriptedUpstream, clock: HeldClock) -> None:
        """Nobody can say whether it is forged or new: 503, not a 401 that would log somebody out."""
        await keys.get_key("old")
        auth.clear().fail()
        clock.advance(MIN_REFETCH_SECONDS)

        for _ in range(10):
            with pytest.raises(UpstreamUnavailableError):
                await keys.get_key("new")

        assert len(auth.requests) == 1

    async def test_first_fetch_fails(self, keys: RemoteKeySet, auth: ScriptedUpstream, clock: HeldClock) -> None:
        auth.clear().answer(503).answer(200, TokenSigner("old").jwks())
        with pytest.raises(UpstreamUnavailableError):
            await keys.get_key("old")

        clock.advance(RETRY_SECONDS)

        assert await keys.get_key("old") is not None

    @pytest.mark.parametrize("body", [None, [], {}, {"keys": []}, {"keys": "none"}, {"keys": [{"kid": "old"}]}])
    async def test_nonsense_does_not_replace_known_keys(
        self, keys: RemoteKeySet, auth: ScriptedUpstream, clock: HeldClock, body: object
    ) -> None:
        await keys.get_key("old")
        auth.clear().answer(200, body)
        clock.advance(STALE_AFTER_SECONDS)

        assert await keys.get_key("old") is not None

    async def test_routes_go_on(
        self, app: FastAPI, client: httpx.AsyncClient, keys: RemoteKeySet, auth: ScriptedUpstream, old: TokenSigner
    ) -> None:
        app.state.token_verifier = TokenVerifier.from_config(keys, TokenConfig())
        first, second = (old.issue_user_token(UUID(int=number)) for number in (1, 2))
        await client.get("/me", headers={"Authorization": f"Bearer {first}"})
        auth.clear().fail()

        response = await client.get("/me", headers={"Authorization": f"Bearer {second}"})
        assert response.status_code == 200

        stranger = TokenSigner("new").issue_user_token(UUID(int=3))
        response = await client.get("/me", headers={"Authorization": f"Bearer {stranger}"})
        assert response.status_code == 401  # auth was asked a moment ago, and did not know that key


class TestParseJwks:
    def test_keys_of_other_kinds_are_skipped(self, old: TokenSigner) -> None:
        good = old.jwks()["keys"][0]
        ed448 = OKPAlgorithm.to_jwk(Ed448PrivateKey.generate().public_key(), as_dict=True)
        private = OKPAlgorithm.to_jwk(old.private_key, as_dict=True)
        others = [
            good | {"kid": "encryption", "use": "enc"},
            good | {"kid": "algorithm", "alg": "HS256"},
            good | {"kid": "curve", "crv": "X25519"},
            good | {"kid": "short", "x": "AAAA"},
            good | {"kid": "no-text", "x": 7},
            good | {"kid": "../path"},
            {name: value for name, value in good.items() if name != "kid"},
            {name: value for name, value in good.items() if name != "x"} | {"kid": "empty"},
            ed448 | {"kid": "ed448"},
            private | {"kid": "private"},
            {"kid": "rsa", "kty": "RSA", "n": "AQAB", "e": "AQAB"},
            "no object",
            None,
        ]

        assert list(parse_jwks({"keys": [*others, good]}, "auth")) == ["old"]


class TestStaticKeySet:
    async def test_valid(self, old: TokenSigner) -> None:
        keys = StaticKeySet({"old": old.private_key.public_key()})

        assert await keys.get_key("old") is not None
        assert await keys.get_key("new") is None
