"""The keys that sign tokens: made once, kept encrypted, held in memory by every process."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.keys.constants import RELOAD_SECONDS, SEED_LOCK, UNKNOWN_RELOAD_SECONDS, KeyState
from auth.keys.exceptions import SigningKeyMissingError
from auth.keys.models import KeyPair
from auth.keys.queries import KEY_PAIRS
from auth.keys.schemas import JsonWebKeySet
from auth.keys.utils import SigningKey, create_jwk, create_stored_key
from chassis.config import ConfigError
from chassis.database.queries import Reader
from chassis.error_handlers import DATABASE_AWAY
from chassis.logs import get_logger

NEVER = float("-inf")

logger = get_logger(__name__)


async def ensure_signing_key(session: AsyncSession, fernet: Fernet) -> None:
    """Make the first key; of several processes that start at once, one does.

    Raises ConfigError when the key there is cannot be read with today's KEYS_ENCRYPTION_KEY.
    """
    await session.execute(select(func.pg_advisory_xact_lock(SEED_LOCK)))
    current = (await session.scalars(select(KeyPair).filter_by(state=KeyState.CURRENT))).one_or_none()
    if current is not None:
        _decrypt_key(fernet, current.id, current.encrypted_private_key)
        return
    stored = create_stored_key(fernet)
    session.add(
        KeyPair(
            state=KeyState.CURRENT,
            public_key=stored.public_key,
            encrypted_private_key=stored.encrypted_private_key,
        )
    )
    await session.flush()


def _decrypt_key(fernet: Fernet, kid: UUID, encrypted: bytes) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(fernet.decrypt(encrypted))
    except InvalidToken as error:
        raise ConfigError(f"KEYS_ENCRYPTION_KEY is not the one that signing key {kid} was encrypted with") from error


class KeyRing:
    """The keys of this process, and the `KeySet` of auth's own verifier, which asks nobody over HTTP.

    The database may go away: what is in memory goes on signing and verifying.
    """

    def __init__(self, reader: Reader, fernet: Fernet, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._fernet = fernet
        self._clock = clock
        self._lock = asyncio.Lock()
        self._public_keys: dict[str, Ed25519PublicKey] = {}
        self._signing_key: SigningKey | None = None
        self._tried_at = NEVER

    async def get_key(self, kid: str) -> Ed25519PublicKey | None:
        await self._reload(older_than=RELOAD_SECONDS if kid in self._public_keys else UNKNOWN_RELOAD_SECONDS)
        return self._public_keys.get(kid)

    async def get_signing_key(self) -> SigningKey:
        """Raises SigningKeyMissingError before the first migration."""
        await self._reload(older_than=RELOAD_SECONDS if self._signing_key else 0)
        if self._signing_key is None:
            raise SigningKeyMissingError
        return self._signing_key

    async def get_jwks(self) -> JsonWebKeySet:
        await self._reload(older_than=UNKNOWN_RELOAD_SECONDS)
        return JsonWebKeySet(keys=[create_jwk(kid, key) for kid, key in self._public_keys.items()])

    async def check(self) -> None:
        """For readiness: there is a key to sign with."""
        await self.get_signing_key()

    async def _reload(self, *, older_than: float) -> None:
        if self._clock() - self._tried_at < older_than:
            return
        async with self._lock:
            if self._clock() - self._tried_at < older_than:
                return
            self._tried_at = self._clock()
            try:
                await self._load()
            except DATABASE_AWAY as error:
                if self._signing_key is None:
                    self._tried_at = NEVER
                    raise
                logger.warning("keys_not_reloaded", reason=type(error).__name__)

    async def _load(self) -> None:
        rows = await self._reader.fetch_rows(KEY_PAIRS)
        self._public_keys = {str(row["id"]): Ed25519PublicKey.from_public_bytes(row["public_key"]) for row in rows}
        current = next((row for row in rows if row["state"] == KeyState.CURRENT), None)
        if current is not None:
            private_key = _decrypt_key(self._fernet, current["id"], current["encrypted_private_key"])
            self._signing_key = SigningKey(str(current["id"]), private_key)
