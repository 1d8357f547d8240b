import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chassis.security.config import TokenConfig
from chassis.security.constants import REMEMBERED_SECONDS
from chassis.security.exceptions import TokenExpiredError, TokenInvalidError, TokenRevokedError
from chassis.security.jwks import StaticKeySet
from chassis.security.memory import TokenMemory
from chassis.security.revocation import RevocationMap
from chassis.security.schemas import TokenData
from chassis.security.verifier import TokenVerifier
from chassis.testing.clock import HeldClock
from chassis.testing.tokens import TokenSigner

SESSION_ID = UUID("01980000-0000-7000-8000-0000000000aa")


class CountedKeys:
    def __init__(self, signer: TokenSigner) -> None:
        self.keys = signer.key_set()
        self.asked = 0

    async def get_key(self, kid: str) -> Ed25519PublicKey | None:
        self.asked += 1
        return await self.keys.get_key(kid)


@pytest.fixture
def keys(signer: TokenSigner) -> CountedKeys:
    return CountedKeys(signer)


@pytest.fixture
def verifier(keys: CountedKeys) -> TokenVerifier:
    return TokenVerifier.from_config(keys, TokenConfig())


class TestVerifyUserToken:
    async def test_valid(self, verifier: TokenVerifier, signer: TokenSigner, user_id: UUID) -> None:
        token = signer.issue_user_token(user_id, session_id=SESSION_ID, scopes=["posts:write", "posts:read"])

        data = await verifier.verify_user_token(token)

        assert (data.user_id, data.session_id) == (user_id, SESSION_ID)
        assert data.scopes == {"posts:write", "posts:read"}
        assert timedelta(seconds=290) < data.expires_at - datetime.now(UTC) <= timedelta(seconds=300)
        assert data.expires_at - data.issued_at == timedelta(seconds=300)

    async def test_without_scopes(self, verifier: TokenVerifier, signer: TokenSigner, user_id: UUID) -> None:
        data = await verifier.verify_user_token(signer.issue_user_token(user_id, claims={"scope": None}))

        assert data.scopes == frozenset()

    async def test_login(self, verifier: TokenVerifier, signer: TokenSigner, user_id: UUID) -> None:
        claims = {"amr": ["pwd", "otp", "mfa"], "acr": "aal2", "client_id": "reader", "auth_time": 1_700_000_000}
        data = await verifier.verify_user_token(signer.issue_user_token(user_id, claims=claims))

        assert (data.amr, data.acr, data.client_id) == (("pwd", "otp", "mfa"), "aal2", "reader")
        assert data.authenticated_at == datetime.fromtimestamp(1_700_000_000, UTC)
        assert not data.is_first_party

    async def test_revoked(self, keys: CountedKeys, signer: TokenSigner, user_id: UUID) -> None:
        """Also one that was verified before, and no other session's."""
        revocations = RevocationMap()
        verifier = TokenVerifier.from_config(keys, TokenConfig(), revocations)
        token = signer.issue_user_token(user_id, session_id=SESSION_ID)
        await verifier.verify_user_token(token)
        revocations.add(str(SESSION_ID), time.time())

        for revoked in (token, signer.issue_user_token(user_id, session_id=SESSION_ID)):
            with pytest.raises(TokenRevokedError):
                await verifier.verify_user_token(revoked)
        await verifier.verify_user_token(signer.issue_user_token(user_id))

    async def test_withdrawn_key(self, keys: CountedKeys, signer: TokenSigner, user_id: UUID) -> None:
        """Also what was verified before, and though the set of keys still holds it."""
        revocations = RevocationMap()
        verifier = TokenVerifier.from_config(keys, TokenConfig(), revocations)
        token, service_token = signer.issue_user_token(user_id), signer.issue_service_token("posts")
        assert (await verifier.verify_user_token(token)).key_id == signer.kid
        await verifier.verify_service_token(service_token)
        revocations.add(signer.kid, time.time())

        for refused in (token, signer.issue_user_token(user_id)):
            with pytest.raises(TokenInvalidError):
                await verifier.verify_user_token(refused)
        with pytest.raises(TokenInvalidError):
            await verifier.verify_service_token(service_token)

    async def test_key_is_looked_for_again(self, keys: CountedKeys, signer: TokenSigner, user_id: UUID) -> None:
        """A token that lives for years, which only a thief of the key can make, does not outlive the key."""
        clock = HeldClock(time.time())
        verifier = TokenVerifier(
            keys, issuer=TokenConfig().issuer, audience="broadsheet", internal_audience="internal", clock=clock
        )
        token = signer.issue_user_token(user_id, claims={"exp": int(clock.now) + 10**8})
        await verifier.verify_user_token(token)
        keys.keys = StaticKeySet({})
        await verifier.verify_user_token(token)
        clock.advance(REMEMBERED_SECONDS)

        with pytest.raises(TokenInvalidError):
            await verifier.verify_user_token(token)

    async def test_session_is_no_uuid(self, verifier: TokenVerifier, signer: TokenSigner, user_id: UUID) -> None:
        with pytest.raises(TokenInvalidError):
            await verifier.verify_user_token(signer.issue_user_token(user_id, claims={"sid": "abc"}))

    async def test_lone_surrogate(self, verifier: TokenVerifier, signer: TokenSigner, user_id: UUID) -> None:
        head, _, signature = signer.issue_user_token(user_id).split(".")

        with pytest.raises(TokenInvalidError):
            await verifier.verify_user_token(f"{head}.\ud800.{signature}")

    async def test_clocks_may_differ_a_little(
        self, verifier: TokenVerifier, signer: TokenSigner, user_id: UUID
    ) -> None:
        now = int(time.time())

        await verifier.verify_user_token(signer.issue_user_token(user_id, claims={"iat": now + 3}))
        await verifier.verify_user_token(signer.issue_user_token(user_id, claims={"exp": now - 2}))
        with pytest.raises(TokenExpiredError):
            await verifier.verify_user_token(signer.issue_user_token(user_id, claims={"exp": now - 11}))

    async def test_remembered(
        self, verifier: TokenVerifier, signer: TokenSigner, keys: CountedKeys, user_id: UUID
    ) -> None:
        token = signer.issue_user_token(user_id)

        first, *others = [await verifier.verify_user_token(token) for _ in range(5)]

        assert keys.asked == 1
        assert all(data is first for data in others)

    async def test_remembered_until_it_expires(
        self, signer: TokenSigner, keys: CountedKeys, clock: HeldClock, user_id: UUID
    ) -> None:
        clock.now = time.time()
        verifier = TokenVerifier(
            keys,
            issuer=TokenConfig().issuer,
            audience="broadsheet",
            internal_audience="internal",
            clock=clock,
        )
        token = signer.issue_user_token(user_id)
        await verifier.verify_user_token(token)

        clock.advance(301)
        await verifier.verify_user_token(token)

        assert keys.asked == 2

    async def test_rejected_is_not_remembered(
        self, verifier: TokenVerifier, signer: TokenSigner, keys: CountedKeys, user_id: UUID
    ) -> None:
        token = signer.issue_user_token(user_id, claims={"aud": "elsewhere"})

        for _ in range(3):
            with pytest.raises(TokenInvalidError):
                await verifier.verify_user_token(token)

        assert keys.asked == 3


class TestPurposes:
    """Every kind of token at every door: each opens its own only, also after it was remembered there."""

    async def test_matrix(self, verifier: TokenVerifier, signer: TokenSigner, user_id: UUID) -> None:
        user = signer.issue_user_token(user_id)
        service = signer.issue_service_token("fleet", ["ships:read"])
        others = [
            signer.issue_user_token(user_id, claims={"aud": "broadsheet-internal"}),
            signer.issue_service_token("fleet", claims={"aud": "broadsheet"}),
            signer.issue_user_token(user_id, headers={"typ": "rt+jwt"}),
            signer.issue_user_token(user_id, headers={"typ": "reset+jwt"}),
            signer.issue_user_token(user_id, headers={"typ": None}),
        ]

        assert (await verifier.verify_user_token(user)).user_id == user_id
        assert (await verifier.verify_service_token(service)).client_id == "fleet"
        for token in (service, *others):
            with pytest.raises(TokenInvalidError):
                await verifier.verify_user_token(token)
        for token in (user, *others):
            with pytest.raises(TokenInvalidError):
                await verifier.verify_service_token(token)

    def test_one_audience_for_both(self, signer: TokenSigner) -> None:
        with pytest.raises(ValueError, match="different audiences"):
            TokenVerifier(signer.key_set(), issuer="a", audience="b", internal_audience="b")


class TestTokenMemory:
    @pytest.fixture
    def memory(self, clock: HeldClock) -> TokenMemory[TokenData]:
        return TokenMemory(capacity=3, clock=clock)

    def create(self, expires_at: float) -> TokenData:
        return TokenData(
            token_id="t",
            key_id="k",
            scopes=frozenset(),
            issued_at=datetime.fromtimestamp(0, UTC),
            expires_at=datetime.fromtimestamp(expires_at, UTC),
        )

    def test_valid(self, memory: TokenMemory[TokenData]) -> None:
        data = self.create(1300)
        memory.remember("a", data)

        assert memory.recall("a") is data
        assert memory.recall("b") is None

    def test_expired(self, memory: TokenMemory[TokenData], clock: HeldClock) -> None:
        memory.remember("a", self.create(1300))
        clock.advance(300)

        assert memory.recall("a") is None
        assert len(memory) == 0

    def test_expired_before(self, memory: TokenMemory[TokenData]) -> None:
        memory.remember("a", self.create(1000))

        assert len(memory) == 0

    def test_bounded(self, memory: TokenMemory[TokenData]) -> None:
        for number in range(1000):
            memory.remember(str(number), self.create(1300))

        assert len(memory) == 3
        assert memory.recall("996") is None
        assert memory.recall("999") is not None

    def test_again_when_full(self, memory: TokenMemory[TokenData]) -> None:
        for name in "abc":
            memory.remember(name, self.create(1300))

        memory.remember("c", self.create(1400))

        assert memory.recall("a") is not None

    def test_holds_no_token(self, memory: TokenMemory[TokenData]) -> None:
        memory.remember("secret-token", self.create(1300))

        assert "secret-token" not in repr(vars(memory))
