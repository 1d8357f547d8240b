import base64
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import jwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from auth.keys.constants import ACCESS_TOKEN_SECONDS
from auth.keys.models import KeyPair
from auth.keys.schemas import JsonWebKey
from chassis.config import ConfigError
from chassis.security.config import TokenConfig
from chassis.security.constants import ALGORITHM, SERVICE_SUBJECT_PREFIX, TOKEN_TYPE


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    private_key: Ed25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """The two halves of a new key pair as they are kept."""

    public_key: bytes
    encrypted_private_key: bytes


def create_stored_key(fernet: Fernet) -> StoredKey:
    private_key = Ed25519PrivateKey.generate()
    return StoredKey(private_key.public_key().public_bytes_raw(), fernet.encrypt(private_key.private_bytes_raw()))


def create_jwk(kid: str, public_key: Ed25519PublicKey) -> JsonWebKey:
    x = base64.urlsafe_b64encode(public_key.public_bytes_raw()).decode().rstrip("=")
    return JsonWebKey(kty="OKP", crv="Ed25519", alg="EdDSA", use="sig", kid=kid, x=x)


def describe_key(pair: KeyPair) -> str:
    """For an operator: one line."""
    since = pair.retired_at or pair.activated_at or pair.created_at
    return f"{pair.id}  {pair.state:7}  since {since:%Y-%m-%d %H:%M:%S %Z}"


def parse_key_id(text: str) -> UUID:
    """Raises ConfigError."""
    try:
        return UUID(text)
    except ValueError as error:
        raise ConfigError(f"{text} is no id of a key; see: keys list") from error


@dataclass(frozen=True, slots=True)
class UserClaims:
    """What an access token says of a person's session."""

    profile_id: UUID
    session_id: UUID
    client_id: str
    scope: str
    amr: tuple[str, ...]
    acr: str
    authenticated_at: datetime


class TokenIssuer:
    """Holds the key to sign with, so that nothing is read any more once a transaction has begun."""

    def __init__(self, key: SigningKey, config: TokenConfig) -> None:
        self._key = key
        self._config = config

    def issue_user_token(self, claims: UserClaims) -> str:
        return self._sign(
            {
                "aud": self._config.audience,
                "sub": str(claims.profile_id),
                "sid": str(claims.session_id),
                "client_id": claims.client_id,
                "scope": claims.scope,
                "amr": list(claims.amr),
                "acr": claims.acr,
                "auth_time": int(claims.authenticated_at.timestamp()),
            }
        )

    def issue_service_token(self, client_id: str, scope: str) -> str:
        subject = f"{SERVICE_SUBJECT_PREFIX}{client_id}"
        return self._sign(
            {"aud": self._config.internal_audience, "sub": subject, "client_id": client_id, "scope": scope}
        )

    def _sign(self, claims: dict[str, Any]) -> str:
        now = int(time.time())
        common = {
            "iss": self._config.issuer,
            "jti": uuid.uuid4().hex,
            "iat": now,
            "exp": now + ACCESS_TOKEN_SECONDS,
        }
        headers = {"typ": TOKEN_TYPE, "kid": self._key.kid}
        return jwt.encode(common | claims, self._key.private_key, algorithm=ALGORITHM, headers=headers)
