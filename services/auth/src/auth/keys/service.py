"""The keys that sign tokens: kept encrypted, rotated in stages, held in memory by every process."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.keys.constants import KEYS_LOCK, RELOAD_SECONDS, RETIRED_KEPT, UNKNOWN_RELOAD_SECONDS, KeyState
from auth.keys.exceptions import NextKeyTooYoungError, SigningKeyMissingError, SigningKeyUnknownError
from auth.keys.models import KeyPair
from auth.keys.queries import KEY_PAIRS
from auth.keys.schemas import JsonWebKeySet
from auth.keys.utils import SigningKey, create_jwk, create_stored_key
from chassis.config import ConfigError
from chassis.database.queries import Reader
from chassis.error_handlers import DATABASE_AWAY
from chassis.logs import get_logger
from chassis.security.revocation import RevocationMap

NEVER = float("-inf")

logger = get_logger(__name__)


async def ensure_signing_key(session: AsyncSession, fernet: Fernet) -> None:
    """Make the first key and the next; of several processes that start at once, one does.

    Raises ConfigError when the keys there cannot be read with today's KEYS_ENCRYPTION_KEY.
    """
    await _lock_keys(session)
    for pair in await session.scalars(select(KeyPair).where(KeyPair.state != KeyState.RETIRED)):
        _decrypt_key(fernet, pair.id, pair.encrypted_private_key)
    await _fill_states(session, fernet)


async def rotate_keys(session: AsyncSession, fernet: Fernet, *, min_age: timedelta) -> UUID:
    """From now on the next key signs, and a new one is the next; the id of the one that signs.

    What the key of until now has signed can be verified until it expires. Raises NextKeyTooYoungError.
    """
    await _lock_keys(session)
    age = func.clock_timestamp() - KeyPair.created_at
    left = min_age - (await session.scalars(select(age).filter_by(state=KeyState.NEXT))).one()
    if left > timedelta(0):
        raise NextKeyTooYoungError(left)
    return await _retire_current(session, fernet, by="command")


async def rotate_due_keys(
    session: AsyncSession, fernet: Fernet, *, period: timedelta, min_age: timedelta
) -> UUID | None:
    """The same by the calendar, once, however many processes watch it. None when it is not yet time."""
    await _lock_keys(session)
    is_spent = and_(KeyPair.state == KeyState.CURRENT, KeyPair.activated_at <= func.clock_timestamp() - period)
    is_known = and_(KeyPair.state == KeyState.NEXT, KeyPair.created_at <= func.clock_timestamp() - min_age)
    due = (await session.scalars(select(KeyPair.id).where(or_(is_spent, is_known)))).all()
    return await _retire_current(session, fernet, by="schedule") if len(due) == len((is_spent, is_known)) else None


async def withdraw_key(session: AsyncSession, fernet: Fernet, kid: UUID) -> None:
    """A key that leaked is gone at once, and with it all that it has signed. If it signs today, the next one does now.

    Raises SigningKeyUnknownError, also when somebody else was faster.
    """
    await _lock_keys(session)
    state = await session.scalar(delete(KeyPair).where(KeyPair.id == kid).returning(KeyPair.state))
    if state is None:
        raise SigningKeyUnknownError(kid)
    await _fill_states(session, fernet)
    await record(session, AuditAction.KEY_WITHDRAWN, subject_id=None, details={"key_id": str(kid), "state": state})
    logger.warning("key_withdrawn", kid=str(kid), state=state)


async def list_keys(session: AsyncSession) -> Sequence[KeyPair]:
    """The oldest first."""
    return (await session.scalars(select(KeyPair).order_by(KeyPair.id))).all()


async def delete_retired_keys(session: AsyncSession) -> int:
    """All of which no token can be left; none are left, so it need not be called again."""
    await session.execute(delete(KeyPair).where(KeyPair.retired_at <= func.now() - RETIRED_KEPT))
    return 0


async def _lock_keys(session: AsyncSession) -> None:
    """Until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(KEYS_LOCK)))


async def _retire_current(session: AsyncSession, fernet: Fernet, *, by: str) -> UUID:
    retire = update(KeyPair).where(KeyPair.state == KeyState.CURRENT)
    retire = retire.values(state=KeyState.RETIRED, retired_at=func.clock_timestamp())
    former = (await session.scalars(retire.returning(KeyPair.id))).one()
    current = await _fill_states(session, fernet)
    details = {"key_id": str(current), "former_key_id": str(former), "by": by}
    await record(session, AuditAction.KEY_ROTATED, subject_id=None, details=details)
    logger.info("key_rotated", **details)
    return current


async def _fill_states(session: AsyncSession, fernet: Fernet) -> UUID:
    """If none signs, the next one does; if none is the next, a new one is. The id of the one that signs."""
    active = select(KeyPair.state, KeyPair.id).where(KeyPair.state != KeyState.RETIRED)
    ids: dict[str, UUID] = {row.state: row.id for row in await session.execute(active)}
    if KeyState.CURRENT not in ids:
        ids[KeyState.CURRENT] = ids.pop(KeyState.NEXT) if KeyState.NEXT in ids else await _add_next_key(session, fernet)
        activate = update(KeyPair).where(KeyPair.id == ids[KeyState.CURRENT])
        await session.execute(activate.values(state=KeyState.CURRENT, activated_at=func.clock_timestamp()))
    if KeyState.NEXT not in ids:
        await _add_next_key(session, fernet)
    return ids[KeyState.CURRENT]


async def _add_next_key(session: AsyncSession, fernet: Fernet) -> UUID:
    stored = create_stored_key(fernet)
    statement = insert(KeyPair).values(
        state=KeyState.NEXT, public_key=stored.public_key, encrypted_private_key=stored.encrypted_private_key
    )
    return (await session.scalars(statement.returning(KeyPair.id))).one()


def _decrypt_key(fernet: Fernet, kid: UUID, encrypted: bytes) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(fernet.decrypt(encrypted))
    except InvalidToken as error:
        raise ConfigError(f"KEYS_ENCRYPTION_KEY is not the one that signing key {kid} was encrypted with") from error


class KeyRing:
    """The keys of this process, and the `KeySet` of auth's own verifier, which asks nobody over HTTP.

    The database may go away: what is in memory goes on signing and verifying.
    """

    def __init__(
        self,
        reader: Reader,
        fernet: Fernet,
        revocations: RevocationMap | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._fernet = fernet
        self._revocations = RevocationMap() if revocations is None else revocations
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
        key = self._signing_key
        is_good = key is not None and key.kid not in self._revocations
        await self._reload(older_than=RELOAD_SECONDS if is_good else 0)
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
