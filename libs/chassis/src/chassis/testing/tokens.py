"""Signs tokens in tests as auth does in earnest."""

import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from chassis.security.config import TokenConfig
from chassis.security.constants import ALGORITHM, FIRST_PARTY_CLIENT, SERVICE_SUBJECT_PREFIX, TOKEN_TYPE
from chassis.security.jwks import StaticKeySet
from chassis.security.revocation import RevocationMap
from chassis.security.verifier import TokenVerifier

LIFETIME_SECONDS = 300


class TokenSigner:
    """One key pair. `claims` and `headers` replace what an honest token says; None leaves it out."""

    def __init__(self, kid: str = "test-key", config: TokenConfig | None = None) -> None:
        self.kid = kid
        self.private_key = Ed25519PrivateKey.generate()
        self._config = config or TokenConfig()

    def issue_user_token(
        self,
        user_id: UUID,
        *,
        session_id: UUID | None = None,
        scopes: Iterable[str] = (),
        claims: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> str:
        """Of a login just now, with a password, to an app of ours."""
        login = {
            "sub": str(user_id),
            "sid": str(session_id or uuid.uuid4()),
            "client_id": FIRST_PARTY_CLIENT,
            "auth_time": int(time.time()),
            "amr": ["pwd"],
            "acr": "aal1",
        }
        return self.sign(self.build_claims(self._config.audience, scopes) | login | dict(claims or {}), headers)

    def issue_service_token(
        self,
        client_id: str,
        scopes: Iterable[str] = (),
        *,
        claims: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> str:
        subject = {"sub": f"{SERVICE_SUBJECT_PREFIX}{client_id}"}
        common = self.build_claims(self._config.internal_audience, scopes)
        return self.sign(common | subject | dict(claims or {}), headers)

    def build_claims(self, audience: str, scopes: Iterable[str] = ()) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self._config.issuer,
            "aud": audience,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": uuid.uuid4().hex,
            "scope": " ".join(scopes),
        }

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
        """Raw, for forgeries too."""
        all_headers = {"typ": TOKEN_TYPE, "kid": self.kid} | dict(headers or {})
        return jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            self.private_key,
            algorithm=ALGORITHM,
            headers={name: value for name, value in all_headers.items() if value is not None},
        )

    def jwks(self) -> dict[str, Any]:
        key = OKPAlgorithm.to_jwk(self.private_key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": self.kid, "use": "sig", "alg": ALGORITHM}]}

    def key_set(self) -> StaticKeySet:
        return StaticKeySet({self.kid: self.private_key.public_key()})

    def verifier(self, revocations: RevocationMap | None = None) -> TokenVerifier:
        """For `app.state.token_verifier` of a service under test."""
        return TokenVerifier.from_config(self.key_set(), self._config, revocations)
