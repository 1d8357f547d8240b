"""The public keys of auth: fetched, kept, fetched again, and never lost because auth is away."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm
from jwt.exceptions import InvalidKeyError

from chassis.http.client import ServiceClient
from chassis.http.exceptions import FailureReason, UpstreamError, UpstreamUnavailableError
from chassis.http.single_flight import SingleFlight
from chassis.logs import get_logger
from chassis.security.constants import ALGORITHM

JWKS_PATH = "/.well-known/jwks.json"
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
REFRESH_AFTER_SECONDS = 60.0
"""Older keys are still used, and fetched anew beside the request."""
STALE_AFTER_SECONDS = 300.0
"""Older keys are used only if auth cannot be asked: a key may have been withdrawn since."""
MIN_REFETCH_SECONDS = 10.0
"""Between two fetches, whatever key ids are invented. So auth publishes a key a while before it signs with it."""

RETRY_SECONDS = 1.0
"""After a fetch that failed: a service that starts before auth must not stay blind for long."""

logger = get_logger(__name__)


class KeySet(Protocol):
    async def get_key(self, kid: str) -> Ed25519PublicKey | None:
        """None for a key that is not in the set. Raises UpstreamUnavailableError when that cannot be known now."""
        ...


class StaticKeySet:
    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)

    async def get_key(self, kid: str) -> Ed25519PublicKey | None:
        return self._keys.get(kid)


class RemoteKeySet:
    def __init__(
        self,
        client: ServiceClient,
        *,
        min_refetch_seconds: float = MIN_REFETCH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._min_refetch_seconds = min_refetch_seconds
        self._clock = clock
        self._flight = SingleFlight(client.target, self._fetch_keys)
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._fetched_at = self._next_fetch_at = float("-inf")
        self._is_current = False

    async def get_key(self, kid: str) -> Ed25519PublicKey | None:
        if not KEY_ID.fullmatch(kid):
            return None
        age = self._clock() - self._fetched_at
        if kid in self._keys and age < STALE_AFTER_SECONDS:
            if age >= REFRESH_AFTER_SECONDS and self._may_fetch():
                self._flight.start()
            return self._keys[kid]
        if self._flight.is_active or self._may_fetch():
            await self._refetch(kid)
        if kid not in self._keys and not self._is_current:
            # The last fetch failed: this may be a new key as well as a forged one.
            raise UpstreamUnavailableError(self._client.target, FailureReason.CONNECT)
        return self._keys.get(kid)

    def _may_fetch(self) -> bool:
        return self._clock() >= self._next_fetch_at

    async def _refetch(self, kid: str) -> None:
        try:
            await self._flight.run()
        except UpstreamError:
            if kid not in self._keys:
                raise

    async def _fetch_keys(self) -> None:
        self._next_fetch_at = self._clock() + min(RETRY_SECONDS, self._min_refetch_seconds)
        self._is_current = False
        try:
            self._keys = parse_jwks(await self._client.get_json(JWKS_PATH), self._client.target)
        except UpstreamError as error:
            logger.warning("jwks_fetch_failed", reason=str(error), known_keys=len(self._keys))
            raise
        self._is_current = True
        self._fetched_at = self._clock()
        self._next_fetch_at = self._fetched_at + self._min_refetch_seconds


def parse_jwks(document: Any, target: str) -> dict[str, Ed25519PublicKey]:
    """RFC 7517; keys of kinds we do not use are skipped. Raises UpstreamUnavailableError when none is left."""
    entries = document.get("keys") if isinstance(document, dict) else None
    keys = {}
    for entry in entries if isinstance(entries, list) else []:
        key = _parse_key(entry)
        if key is not None:
            keys[entry["kid"]] = key
    if not keys:
        raise UpstreamUnavailableError(target, FailureReason.MALFORMED)
    return keys


def _parse_key(entry: Any) -> Ed25519PublicKey | None:
    if not isinstance(entry, dict) or not KEY_ID.fullmatch(str(entry.get("kid", ""))):
        return None
    if entry.get("use", "sig") != "sig" or entry.get("alg", ALGORITHM) != ALGORITHM:
        return None
    try:
        key = OKPAlgorithm.from_jwk(entry)
    except (InvalidKeyError, ValueError, TypeError):
        return None
    # EdDSA names Ed448 as well; a private key has no business in this document.
    return key if isinstance(key, Ed25519PublicKey) else None
