"""Verifies access tokens offline (RFC 9068, with the advice of RFC 8725)."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

import jwt
from jwt.exceptions import ExpiredSignatureError, PyJWTError
from jwt.utils import base64url_decode
from pydantic import ValidationError

from chassis.security.config import TokenConfig
from chassis.security.constants import (
    ALGORITHM,
    KEY_ID,
    LEEWAY_SECONDS,
    REQUIRED_CLAIMS,
    SERVICE_SUBJECT_PREFIX,
    TOKEN_MAX_LENGTH,
    TOKEN_TYPE,
)
from chassis.security.exceptions import TokenExpiredError, TokenInvalidError, TokenRevokedError
from chassis.security.jwks import KeySet
from chassis.security.memory import TokenMemory
from chassis.security.revocation import RevocationMap
from chassis.security.schemas import JWTData, ServiceJWTData, TokenData


class TokenVerifier:
    """One a process, in `app.state.token_verifier`. People's and services' tokens are never taken for each other."""

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        internal_audience: str,
        revocations: RevocationMap | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if audience == internal_audience:
            raise ValueError("people's and services' tokens need different audiences")
        self._keys = keys
        self._revocations = RevocationMap() if revocations is None else revocations
        self._issuer = issuer
        self._audience = audience
        self._internal_audience = internal_audience
        self._users: TokenMemory[JWTData] = TokenMemory(clock=clock)
        self._services: TokenMemory[ServiceJWTData] = TokenMemory(clock=clock)

    @classmethod
    def from_config(cls, keys: KeySet, config: TokenConfig, revocations: RevocationMap | None = None) -> Self:
        return cls(
            keys,
            issuer=config.issuer,
            audience=config.audience,
            internal_audience=config.internal_audience,
            revocations=revocations,
        )

    async def verify_user_token(self, token: str) -> JWTData:
        """Raises TokenInvalidError, TokenExpiredError, TokenRevokedError.

        UpstreamUnavailableError when the keys cannot be had.
        """
        data = self._users.recall(token)
        if data is None:
            data = parse_user_claims(await self._read_claims(token, self._audience))
            self._users.remember(token, data)
        self._refuse_withdrawn(data)
        if data.session_key in self._revocations:
            raise TokenRevokedError
        return data

    async def verify_service_token(self, token: str) -> ServiceJWTData:
        """Raises as `verify_user_token`. A service has no session that could end before its token does."""
        data = self._services.recall(token)
        if data is None:
            data = parse_service_claims(await self._read_claims(token, self._internal_audience))
            self._services.remember(token, data)
        self._refuse_withdrawn(data)
        return data

    def _refuse_withdrawn(self, data: TokenData) -> None:
        """Also what was remembered, and while the key's withdrawal has not reached the set of keys here."""
        if data.key_id in self._revocations:
            raise TokenInvalidError

    async def _read_claims(self, token: str, audience: str) -> dict[str, Any]:
        if len(token) > TOKEN_MAX_LENGTH or not token.isascii():
            raise TokenInvalidError
        kid = read_key_id(token)
        key = await self._keys.get_key(kid)
        if key is None:
            raise TokenInvalidError
        try:
            claims = _STRICT_JWT.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED_CLAIMS), "strict_aud": True},
            )
        except ExpiredSignatureError as error:
            raise TokenExpiredError from error
        except PyJWTError as error:
            raise TokenInvalidError from error
        return claims | {KEY_ID: kid}


class _StrictJWT(jwt.PyJWT):
    """Refuses a claim that is given twice: two readers could take different ones."""

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        return load_object(decoded["payload"])


_STRICT_JWT = _StrictJWT()


def read_key_id(token: str) -> str:
    """The key's id from a header that may be signed with it. Nothing else of the header chooses or fetches a key."""
    try:
        header = load_object(base64url_decode(token.partition(".")[0]))
    except (ValueError, TypeError) as error:
        raise TokenInvalidError from error
    kid = header.get("kid")
    if header.get("typ") != TOKEN_TYPE or header.get("alg") != ALGORITHM or not isinstance(kid, str):
        raise TokenInvalidError
    # No extension is known here, so none that must be understood can be accepted (RFC 7515, section 4.1.11).
    if "crit" in header or "b64" in header:
        raise TokenInvalidError
    return kid


def load_object(text: bytes) -> dict[str, Any]:
    """A JSON object without repeated names. Raises TokenInvalidError."""
    try:
        value = json.loads(text, object_pairs_hook=_refuse_repeated)
    except (ValueError, RecursionError) as error:
        raise TokenInvalidError from error
    if not isinstance(value, dict):
        raise TokenInvalidError
    return value


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name is given twice")
    return names


def parse_user_claims(claims: dict[str, Any]) -> JWTData:
    try:
        return JWTData(
            user_id=claims["sub"],
            session_id=claims["sid"],
            client_id=claims["client_id"],
            authenticated_at=datetime.fromtimestamp(claims["auth_time"], UTC),
            amr=claims["amr"],
            acr=claims["acr"],
            **_parse_common(claims),
        )
    except (ValidationError, KeyError, *MALFORMED) as error:
        raise TokenInvalidError from error


def parse_service_claims(claims: dict[str, Any]) -> ServiceJWTData:
    subject = claims["sub"]
    if not subject.startswith(SERVICE_SUBJECT_PREFIX):
        raise TokenInvalidError
    try:
        return ServiceJWTData(client_id=subject.removeprefix(SERVICE_SUBJECT_PREFIX), **_parse_common(claims))
    except (ValidationError, *MALFORMED) as error:
        raise TokenInvalidError from error


MALFORMED = (ValueError, TypeError, AttributeError, OverflowError, OSError)


def _parse_common(claims: dict[str, Any]) -> dict[str, Any]:
    return {
        "token_id": claims["jti"],
        "key_id": claims[KEY_ID],
        "scopes": frozenset(claims.get("scope", "").split()),
        "issued_at": datetime.fromtimestamp(claims["iat"], UTC),
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC),
    }
