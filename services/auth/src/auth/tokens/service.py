"""Sessions and the tokens they give out. Only here are tokens made; everybody can verify them."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import jwt
from sqlalchemy import Integer, and_, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.clients import service as clients
from auth.keys.utils import SigningKey
from auth.profiles import service as profiles
from auth.profiles.utils import PasswordHashing
from auth.tokens.constants import (
    ACCESS_TOKEN_LIFETIME,
    ENDED_KEPT,
    PRUNE_SESSIONS,
    REFRESH_GRACE,
    SESSION_LIFETIME,
    Delivery,
)
from auth.tokens.exceptions import (
    ClientInvalidError,
    CredentialsInvalidError,
    LoginNotConfirmedError,
    RefreshTokenInvalidError,
    RefreshTokenReusedError,
    ScopeInvalidError,
)
from auth.tokens.models import RefreshToken, TokenSession, ended_at
from auth.tokens.schemas import IssuedTokens
from auth.tokens.utils import RefreshChain, compute_digest
from chassis.database.queries import Reader
from chassis.logs import get_logger
from chassis.security.config import TokenConfig
from chassis.security.constants import ALGORITHM, SERVICE_SUBJECT_PREFIX, TOKEN_TYPE

ACCESS_TOKEN_SECONDS = int(ACCESS_TOKEN_LIFETIME.total_seconds())

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PasswordGrant:
    email: str = field(repr=False)
    password: str = field(repr=False)
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    refresh_token: str = field(repr=False)
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class ClientGrant:
    client_id: str
    secret: str = field(repr=False)
    scopes: frozenset[str] | None
    """None asks for all that the client was granted."""


Grant = PasswordGrant | RefreshGrant | ClientGrant


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session with the newest of its refresh tokens."""

    id: UUID
    profile_id: UUID
    authenticated_at: datetime
    refresh_token: str = field(repr=False)
    seconds_left: int


class TokenIssuer:
    """Holds the key to sign with, so that nothing is read any more once a transaction has begun."""

    def __init__(self, key: SigningKey, config: TokenConfig) -> None:
        self._key = key
        self._config = config

    def issue_user_token(self, session: OpenSession) -> str:
        claims = {
            "aud": self._config.audience,
            "sub": str(session.profile_id),
            "sid": str(session.id),
            "scope": "",
            "auth_time": int(session.authenticated_at.timestamp()),
        }
        return self._sign(claims)

    def issue_service_token(self, client_id: str, scope: str) -> str:
        subject = f"{SERVICE_SUBJECT_PREFIX}{client_id}"
        return self._sign({"aud": self._config.internal_audience, "sub": subject, "scope": scope})

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


@dataclass(frozen=True, slots=True)
class TokenTools:
    """What issuing takes beside the transaction."""

    reader: Reader
    hashing: PasswordHashing
    issuer: TokenIssuer
    chain: RefreshChain


async def issue_tokens(session: AsyncSession, tools: TokenTools, grant: Grant) -> IssuedTokens:
    """Raises what `tokens.exceptions` lists, HashingBusyError."""
    if isinstance(grant, ClientGrant):
        return await _issue_to_client(tools, grant)
    if isinstance(grant, PasswordGrant):
        opened = await _open_session_by_password(session, tools, grant)
    else:
        opened = await rotate_session(session, tools.chain, grant.refresh_token)
    return IssuedTokens(
        access_token=tools.issuer.issue_user_token(opened),
        expires_in=ACCESS_TOKEN_SECONDS,
        scope="",
        refresh_token=opened.refresh_token,
        refresh_seconds=opened.seconds_left,
        delivery=grant.delivery,
    )


async def _issue_to_client(tools: TokenTools, grant: ClientGrant) -> IssuedTokens:
    granted = await clients.check_client(tools.reader, grant.client_id, grant.secret)
    if granted is None:
        logger.warning("client_refused", client_id=grant.client_id)
        raise ClientInvalidError
    scopes = granted if grant.scopes is None else grant.scopes
    if not scopes <= granted:
        raise ScopeInvalidError
    scope = " ".join(sorted(scopes))
    access_token = tools.issuer.issue_service_token(grant.client_id, scope)
    return IssuedTokens(access_token=access_token, expires_in=ACCESS_TOKEN_SECONDS, scope=scope)


async def _open_session_by_password(session: AsyncSession, tools: TokenTools, grant: PasswordGrant) -> OpenSession:
    login = await profiles.check_login(tools.reader, tools.hashing, grant.email, grant.password)
    if login is None:
        logger.info("login_refused", reason="credentials")
        raise CredentialsInvalidError
    if not login.is_confirmed:
        logger.info("login_refused", reason="not_confirmed", user_id=str(login.profile_id))
        raise LoginNotConfirmedError
    await profiles.renew_password_hash(session, tools.hashing, login, grant.password)
    return await create_session(session, tools.chain, login.profile_id)


async def create_session(session: AsyncSession, chain: RefreshChain, profile_id: UUID) -> OpenSession:
    family = TokenSession(profile_id=profile_id, expires_at=func.now() + SESSION_LIFETIME)
    session.add(family)
    await session.flush()
    token = chain.create_token()
    session.add(RefreshToken(session_id=family.id, generation=family.generation, digest=compute_digest(token)))
    await session.flush()
    logger.info("session_created", session_id=str(family.id), user_id=str(profile_id))
    seconds_left = int(SESSION_LIFETIME.total_seconds())
    return OpenSession(family.id, profile_id, family.authenticated_at, token, seconds_left)


async def rotate_session(session: AsyncSession, chain: RefreshChain, refresh_token: str) -> OpenSession:
    """The session with its newest refresh token.

    The newest token gets a child. A used one gets, within the grace, the newest of its descendants again: its first
    answer was lost, or others asked at the same moment. Later it can only be a stolen one, or its owner's after a
    thief was faster: the family ends. Raises RefreshTokenInvalidError.
    """
    row = await _lock_family(session, refresh_token)
    if row is None or not row.is_alive:
        raise RefreshTokenInvalidError
    family, presented = row.TokenSession, row.RefreshToken
    if presented.generation == family.generation:
        _add_generation(session, family, presented, chain.derive_descendant(refresh_token, 1))
    elif not row.is_in_grace:
        family.revoked_at = func.now()
        await session.flush()
        logger.warning("refresh_reused", session_id=str(family.id), user_id=str(family.profile_id))
        raise RefreshTokenReusedError
    newest = chain.derive_descendant(refresh_token, family.generation - presented.generation)
    await session.flush()
    return OpenSession(family.id, family.profile_id, family.authenticated_at, newest, row.seconds_left)


async def _lock_family(session: AsyncSession, refresh_token: str) -> Any:
    """Both rows, so that whoever waited for the lock sees them as the one before left them."""
    seconds_left = cast(func.extract("epoch", TokenSession.expires_at - func.now()), Integer)
    statement = (
        select(
            TokenSession,
            RefreshToken,
            and_(TokenSession.revoked_at.is_(None), TokenSession.expires_at > func.now()).label("is_alive"),
            (RefreshToken.used_at > func.now() - REFRESH_GRACE).label("is_in_grace"),
            seconds_left.label("seconds_left"),
        )
        .join(RefreshToken, RefreshToken.session_id == TokenSession.id)
        .where(RefreshToken.digest == compute_digest(refresh_token))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.execute(statement)).one_or_none()


def _add_generation(session: AsyncSession, family: TokenSession, used: RefreshToken, token: str) -> None:
    used.used_at = func.now()
    family.generation += 1
    session.add(RefreshToken(session_id=family.id, generation=family.generation, digest=compute_digest(token)))


async def end_session(session: AsyncSession, *, session_id: UUID | None, refresh_token: str | None) -> None:
    """End the session of an access token, and that of any refresh token it ever had. Nothing to end is fine."""
    # Looked up first: with a subquery beside an OR, PostgreSQL would read every session there is.
    candidates = {session_id, await _find_session_id(session, refresh_token)}
    ids = [candidate for candidate in candidates if candidate is not None]
    if not ids:
        return
    statement = (
        update(TokenSession)
        .where(TokenSession.id.in_(ids), TokenSession.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(TokenSession.id)
    )
    for ended_id in await session.scalars(statement):
        logger.info("session_ended", session_id=str(ended_id))


async def _find_session_id(session: AsyncSession, refresh_token: str | None) -> UUID | None:
    if refresh_token is None:
        return None
    statement = select(RefreshToken.session_id).where(RefreshToken.digest == compute_digest(refresh_token))
    return (await session.scalars(statement)).one_or_none()


async def delete_ended_sessions(session: AsyncSession) -> int:
    """Some of those that ended a day ago or earlier, with their refresh tokens; how many."""
    ended = (
        select(TokenSession.id)
        .where(ended_at < func.now() - ENDED_KEPT)
        .limit(PRUNE_SESSIONS)
        .with_for_update(skip_locked=True)
    )
    result = await session.scalars(delete(TokenSession).where(TokenSession.id.in_(ended)).returning(TokenSession.id))
    return len(result.all())
