"""Logins on devices: opened, rotated, listed, ended. Whoever ends one ends it here, and all services hear of it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts.exceptions import AccountChangedError
from auth.accounts.models import Account
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.keys.utils import UserClaims
from auth.sessions.constants import (
    ENDED_KEPT,
    IDLE_LIFETIME,
    MAX_SESSIONS,
    PRUNE_SESSIONS,
    REVOCATION_CHANNEL,
    REVOCATION_KEPT,
    SECOND_FACTOR_ACR,
    SESSION_LIFETIME,
    EndReason,
)
from auth.sessions.exceptions import SessionNotFoundError
from auth.sessions.models import LoginSession, RefreshToken, SessionRevocation, ended_at
from auth.sessions.queries import LIST_SESSIONS, ROTATE_SESSION
from auth.sessions.utils import RefreshChain, compute_digest
from chassis.database.queries import Reader
from chassis.logs import get_logger
from chassis.pagination import PageBytes, PageParams
from chassis.security.constants import FIRST_PARTY_CLIENT
from chassis.security.dependencies import is_strong_enough

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What is kept of where a request came from."""

    user_agent: str | None
    address: str | None
    """Truncated."""


@dataclass(frozen=True, slots=True)
class NewSession:
    profile_id: UUID
    client_id: str
    scope: str
    amr: tuple[str, ...]
    acr: str
    device: DeviceInfo
    password_hash: str | None = field(default=None, repr=False)
    """The one that was checked, if one was: it must still be the account's when the session begins."""
    authenticated_at: datetime | None = None
    """Of an app that was let in by somebody who had logged in before; None: now."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session with the newest of its refresh tokens."""

    claims: UserClaims
    refresh_token: str = field(repr=False)
    seconds_left: int

    @property
    def id(self) -> UUID:
        return self.claims.session_id


@dataclass(frozen=True, slots=True)
class Rotation:
    """What came of a refresh token; `opened` is None where the session has ended."""

    session_id: UUID | None = None
    profile_id: UUID | None = None
    opened: OpenSession | None = None
    is_reused: bool = False


async def create_session(session: AsyncSession, chain: RefreshChain, new: NewSession) -> OpenSession:
    """Raises AccountChangedError when the account was banned, deleted or got other credentials meanwhile."""
    await _hold_account(session, new)
    await end_superfluous(session, new.profile_id, client_id=new.client_id, kept=MAX_SESSIONS - 1)
    family = LoginSession(
        profile_id=new.profile_id,
        client_id=new.client_id,
        scope=new.scope,
        amr=list(new.amr),
        acr=new.acr,
        user_agent=new.device.user_agent,
        address=new.device.address,
        authenticated_at=new.authenticated_at or func.now(),
        idle_ends_at=func.now() + IDLE_LIFETIME,
        expires_at=func.now() + SESSION_LIFETIME,
    )
    session.add(family)
    await session.flush()
    token = chain.create_token()
    session.add(RefreshToken(session_id=family.id, generation=family.generation, digest=compute_digest(token)))
    await session.flush()
    logger.info("session_created", session_id=str(family.id), user_id=str(new.profile_id))
    claims = UserClaims(new.profile_id, family.id, new.client_id, new.scope, new.amr, new.acr, family.authenticated_at)
    return OpenSession(claims, token, int(SESSION_LIFETIME.total_seconds()))


async def _hold_account(session: AsyncSession, new: NewSession) -> None:
    """Whoever bans, deletes or changes the password waits until this session can be seen, and then ends it too."""
    columns = Account.banned_at, Account.password_hash, Account.second_factors
    query = select(*columns).where(Account.profile_id == new.profile_id)
    row = (await session.execute(query.with_for_update(read=True))).one_or_none()
    if row is None or row.banned_at is not None or new.password_hash not in (None, row.password_hash):
        raise AccountChangedError
    # Whatever the way in: no session of one factor begins where the account has a second one by now.
    if row.second_factors and not is_strong_enough(new.acr, SECOND_FACTOR_ACR):
        raise AccountChangedError


async def end_superfluous(
    session: AsyncSession, profile_id: UUID, *, client_id: str = FIRST_PARTY_CLIENT, kept: int = MAX_SESSIONS
) -> None:
    """Those that were used longest ago, of one app: none can push out those of another."""
    query = (
        select(LoginSession.id)
        .where(LoginSession.profile_id == profile_id, LoginSession.client_id == client_id, ended_at > func.now())
        .order_by(LoginSession.used_at.desc())
        .offset(kept)
    )
    if ids := (await session.scalars(query)).all():
        await end_sessions(session, EndReason.TOO_MANY, session_ids=ids)


async def rotate_session(
    reader: Reader, chain: RefreshChain, refresh_token: str, *, client_id: str, device: DeviceInfo
) -> Rotation:
    """The session with its newest refresh token, in one statement that is a transaction of its own.

    The newest token gets a child. A used one gets, within the grace, the newest of its descendants again: its first
    answer was lost, or others asked at the same moment. Later it can only be a stolen one, or its owner's after a
    thief was faster: `is_reused`, and the caller ends the family.
    """
    row = await reader.fetch_row(
        ROTATE_SESSION,
        digest=compute_digest(refresh_token),
        child_digest=compute_digest(chain.derive_descendant(refresh_token, 1)),
        client_id=client_id,
        user_agent=device.user_agent,
        address=device.address,
    )
    if row is None or not row["is_alive"]:
        return Rotation()
    if not row["is_rotated"] and not row["is_in_grace"]:
        return Rotation(row["id"], row["profile_id"], is_reused=True)
    generations = 1 if row["is_rotated"] else row["generation"] - row["presented"]
    claims = UserClaims(
        profile_id=row["profile_id"],
        session_id=row["id"],
        client_id=row["client_id"],
        scope=row["scope"],
        amr=tuple(row["amr"]),
        acr=row["acr"],
        authenticated_at=row["authenticated_at"],
    )
    newest = chain.derive_descendant(refresh_token, generations)
    return Rotation(row["id"], row["profile_id"], OpenSession(claims, newest, row["seconds_left"]))


async def end_sessions(
    session: AsyncSession,
    reason: EndReason,
    *,
    profile_id: UUID | None = None,
    session_ids: Collection[UUID] | None = None,
    client_id: str | None = None,
    except_id: UUID | None = None,
) -> list[UUID]:
    """End those of a profile, of a list, of an app, or those that are all of it; which of them were open.

    All services refuse their access tokens within a second: the background process hears of it and tells them.
    """
    statement = update(LoginSession).where(LoginSession.revoked_at.is_(None)).values(revoked_at=func.now())
    if profile_id is None and session_ids is None and client_id is None:
        raise ValueError("whose sessions, or which?")
    if profile_id is not None:
        statement = statement.where(LoginSession.profile_id == profile_id)
    if session_ids is not None:
        statement = statement.where(LoginSession.id.in_(session_ids))
    if client_id is not None:
        statement = statement.where(LoginSession.client_id == client_id)
    if except_id is not None:
        statement = statement.where(LoginSession.id != except_id)
    ended = list(await session.scalars(statement.returning(LoginSession.id)))
    if ended:
        await refuse_tokens(session, ended)
        logger.info("sessions_ended", reason=reason.value, session_ids=[str(session_id) for session_id in ended])
    return ended


async def refuse_tokens(session: AsyncSession, ids: Collection[UUID]) -> None:
    """Have all services refuse what was issued to these sessions, or signed with these keys."""
    # One parameter however many they are: a statement has room for 32,767.
    rows = select(func.unnest(cast(list(ids), ARRAY(Uuid))), func.clock_timestamp())
    told = insert(SessionRevocation).from_select(["session_id", "revoked_at"], rows)
    await session.execute(told.on_conflict_do_nothing())
    await session.execute(select(func.pg_notify(REVOCATION_CHANNEL, "")))


async def end_own_session(session: AsyncSession, profile_id: UUID, session_id: UUID) -> None:
    """Raises SessionNotFoundError."""
    ids = [session_id]
    if not await end_sessions(session, EndReason.ENDED_BY_OWNER, profile_id=profile_id, session_ids=ids):
        raise SessionNotFoundError
    await record(session, AuditAction.SESSION_ENDED, subject_id=profile_id, details={"session_id": str(session_id)})


async def end_own_sessions(session: AsyncSession, profile_id: UUID, *, except_id: UUID | None = None) -> None:
    """All, or all others than that one."""
    ended = await end_sessions(session, EndReason.ENDED_BY_OWNER, profile_id=profile_id, except_id=except_id)
    if ended:
        details = {"sessions": str(len(ended))}
        await record(session, AuditAction.SESSIONS_ENDED, subject_id=profile_id, details=details)


async def log_out(session: AsyncSession, session_ids: Collection[UUID]) -> None:
    """Of those that have ended before nothing is told."""
    ended = await end_sessions(session, EndReason.LOGOUT, session_ids=session_ids)
    if ended:
        owners = select(LoginSession.id, LoginSession.profile_id).where(LoginSession.id.in_(ended))
        for session_id, profile_id in await session.execute(owners):
            details = {"session_id": str(session_id)}
            await record(session, AuditAction.SESSION_ENDED, subject_id=profile_id, details=details)


async def find_scope(session: AsyncSession, refresh_token: str, client_id: str) -> str | None:
    """What a client may do by a refresh token that it has not used."""
    unused = RefreshToken.digest == compute_digest(refresh_token), RefreshToken.used_at.is_(None)
    joined = select(LoginSession.scope).join(RefreshToken, RefreshToken.session_id == LoginSession.id)
    return (await session.scalars(joined.where(*unused, LoginSession.client_id == client_id))).one_or_none()


async def find_session_id(session: AsyncSession, refresh_token: str | None) -> UUID | None:
    """Of any refresh token that the session ever had."""
    if refresh_token is None:
        return None
    statement = select(RefreshToken.session_id).where(RefreshToken.digest == compute_digest(refresh_token))
    return (await session.scalars(statement)).one_or_none()


async def fetch_sessions(reader: Reader, profile_id: UUID, session_id: UUID | None, params: PageParams) -> PageBytes:
    page = await LIST_SESSIONS.fetch_page(
        reader, params, scope=str(profile_id), profile_id=profile_id, session_id=session_id
    )
    assert page is not None  # noqa: S101 - the list has no owner that could be missing
    return page


async def rename_session(session: AsyncSession, profile_id: UUID, session_id: UUID, name: str | None) -> None:
    """Raises SessionNotFoundError."""
    statement = (
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.profile_id == profile_id, ended_at > func.now())
        .values(name=name)
        .returning(LoginSession.id)
    )
    if (await session.scalars(statement)).one_or_none() is None:
        raise SessionNotFoundError


async def delete_ended_sessions(session: AsyncSession) -> int:
    """Some of those that ended a day ago or earlier, with their refresh tokens; how many."""
    ended = (
        select(LoginSession.id)
        .where(ended_at < func.now() - ENDED_KEPT)
        .limit(PRUNE_SESSIONS)
        .with_for_update(skip_locked=True)
    )
    result = await session.scalars(delete(LoginSession).where(LoginSession.id.in_(ended)).returning(LoginSession.id))
    return len(result.all())


async def delete_old_revocations(session: AsyncSession) -> int:
    """All whose access tokens have long expired; none are left, so it need not be called again."""
    await session.execute(delete(SessionRevocation).where(SessionRevocation.revoked_at < func.now() - REVOCATION_KEPT))
    return 0
