"""Grants, and the tokens they lead to. Only auth makes tokens; everybody can verify them."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.apps import service as apps
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.clients import service as clients
from auth.clients.exceptions import (
    ClientInvalidError,
    ClientUnauthorizedError,
    GrantInvalidError,
    GrantReusedError,
)
from auth.clients.utils import ClientCredentials
from auth.codes import service as codes
from auth.codes.service import Redemption
from auth.keys.constants import ACCESS_TOKEN_SECONDS
from auth.keys.utils import TokenIssuer
from auth.limits.constants import LimitRule
from auth.logins import service as logins
from auth.logins.exceptions import MfaTokenInvalidError
from auth.logins.service import LoginTools, MfaLogin, PasswordLogin
from auth.passkeys import service as passkeys
from auth.passkeys.service import PasskeyLogin
from auth.sessions import service as sessions
from auth.sessions.constants import EndReason
from auth.sessions.service import DeviceInfo, OpenSession
from auth.sessions.utils import RefreshChain
from auth.tokens.constants import Delivery
from auth.tokens.exceptions import (
    RefreshTokenInvalidError,
    RefreshTokenReusedError,
    ScopeInvalidError,
)
from auth.tokens.schemas import IssuedTokens
from chassis.database.queries import Reader
from chassis.logs import get_logger
from chassis.security.constants import FIRST_PARTY_CLIENT

logger = get_logger(__name__)

GUESSES = (ClientInvalidError, GrantInvalidError, RefreshTokenInvalidError, MfaTokenInvalidError)
"""Refusals of which too many from one address are refused unseen."""


@dataclass(frozen=True, slots=True)
class PasswordGrant:
    login: PasswordLogin
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class MfaGrant:
    login: MfaLogin
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class PasskeyGrant:
    login: PasskeyLogin
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    refresh_token: str = field(repr=False)
    delivery: Delivery
    scopes: frozenset[str] | None = None
    """Some of those that an app has, for this access token; None for all. Ours are not held back by scopes."""
    client: ClientCredentials | None = None
    """Of an app of somebody else; None in ours."""


@dataclass(frozen=True, slots=True)
class CodeGrant:
    client: ClientCredentials
    redemption: Redemption
    delivery: Delivery = Delivery.BODY


@dataclass(frozen=True, slots=True)
class ClientGrant:
    client_id: str
    secret: str = field(repr=False)
    scopes: frozenset[str] | None
    """None asks for all that the client was granted."""


LoginGrant = PasswordGrant | MfaGrant | PasskeyGrant
Grant = LoginGrant | RefreshGrant | CodeGrant | ClientGrant


@dataclass(frozen=True, slots=True)
class TokenTools:
    """What issuing takes beside the transaction."""

    reader: Reader
    login: LoginTools
    issuer: TokenIssuer
    chain: RefreshChain
    device: DeviceInfo
    address_key: str = field(repr=False)


async def issue_tokens(session: AsyncSession, tools: TokenTools, grant: Grant) -> IssuedTokens:
    """Raises what `tokens.exceptions` and `logins.exceptions` list, LimitedError, HashingBusyError."""
    if not isinstance(grant, PasswordGrant):
        tools.login.limiter.refuse_blocked(LimitRule.TOKEN, tools.address_key)
    try:
        return await _issue_tokens(session, tools, grant)
    except GUESSES:
        # Counted afterwards: who asks in good order pays nothing for it.
        await tools.login.limiter.hit(LimitRule.TOKEN, tools.address_key)
        raise


async def _issue_tokens(session: AsyncSession, tools: TokenTools, grant: Grant) -> IssuedTokens:
    if isinstance(grant, ClientGrant):
        return await _issue_to_client(tools, grant)
    if isinstance(grant, RefreshGrant):
        opened = await _refresh_session(session, tools, grant)
    elif isinstance(grant, CodeGrant):
        app = await apps.check_app(tools.reader, grant.client)
        opened = await codes.redeem_code(session, tools.chain, app.id, grant.redemption, tools.device)
    else:
        opened = await _open_session(session, tools, grant)
    return IssuedTokens(
        access_token=tools.issuer.issue_user_token(opened.claims),
        expires_in=ACCESS_TOKEN_SECONDS,
        scope=opened.claims.scope,
        refresh_token=opened.refresh_token,
        refresh_seconds=opened.seconds_left,
        delivery=grant.delivery,
        device=None if isinstance(grant, RefreshGrant | CodeGrant) else grant.login.device,
    )


async def _issue_to_client(tools: TokenTools, grant: ClientGrant) -> IssuedTokens:
    granted = await clients.check_client(tools.reader, grant.client_id, grant.secret)
    if granted is None:
        await apps.check_app(tools.reader, ClientCredentials(grant.client_id, grant.secret))
        raise ClientUnauthorizedError
    scopes = granted if grant.scopes is None else grant.scopes
    if not scopes <= granted:
        raise ScopeInvalidError
    scope = " ".join(sorted(scopes))
    access_token = tools.issuer.issue_service_token(grant.client_id, scope)
    return IssuedTokens(access_token=access_token, expires_in=ACCESS_TOKEN_SECONDS, scope=scope)


async def _open_session(session: AsyncSession, tools: TokenTools, grant: LoginGrant) -> OpenSession:
    if isinstance(grant, MfaGrant):
        checked = await logins.check_mfa_login(session, tools.login, grant.login)
    elif isinstance(grant, PasskeyGrant):
        checked = await passkeys.check_passkey_login(session, tools.login, grant.login)
    else:
        checked = await logins.check_password_login(session, tools.login, grant.login)
    return await logins.open_session(session, tools.reader, tools.chain, checked, grant.login.device)


async def _refresh_session(session: AsyncSession, tools: TokenTools, grant: RefreshGrant) -> OpenSession:
    client_id = FIRST_PARTY_CLIENT
    if grant.client is not None:
        client_id = (await apps.check_app(tools.reader, grant.client)).client_id
    if grant.scopes is not None:
        # Before the token is spent: whoever asked for too much can still use it.
        granted = await sessions.find_scope(session, grant.refresh_token, client_id)
        if granted is not None and not grant.scopes <= set(granted.split()):
            raise ScopeInvalidError
    rotation = await sessions.rotate_session(
        tools.reader, tools.chain, grant.refresh_token, client_id=client_id, device=tools.device
    )
    if rotation.is_reused and rotation.session_id is not None and rotation.profile_id is not None:
        logger.warning("refresh_reused", session_id=str(rotation.session_id), user_id=str(rotation.profile_id))
        ended = await sessions.end_sessions(session, EndReason.REFRESH_REUSED, session_ids=[rotation.session_id])
        if ended:
            await accounts.notify_owner(session, rotation.profile_id, NoticeKind.SESSION_REUSED)
            details = {"session_id": str(rotation.session_id)}
            await record(session, AuditAction.SESSION_REUSED, subject_id=rotation.profile_id, details=details)
        raise RefreshTokenReusedError if grant.client is None else GrantReusedError
    if rotation.opened is None:
        raise RefreshTokenInvalidError if grant.client is None else GrantInvalidError
    return rotation.opened if grant.scopes is None else _narrow(rotation.opened, grant.scopes)


def _narrow(opened: OpenSession, scopes: frozenset[str]) -> OpenSession:
    """Of the access token alone (RFC 6749, section 6). Raises ScopeInvalidError."""
    if not scopes <= set(opened.claims.scope.split()):
        raise ScopeInvalidError
    return replace(opened, claims=replace(opened.claims, scope=" ".join(sorted(scopes))))


async def end_session(session: AsyncSession, *, session_id: UUID | None, refresh_token: str | None) -> None:
    """End the session of an access token, and that of any refresh token it ever had. Nothing to end is fine."""
    candidates = {session_id, await sessions.find_session_id(session, refresh_token)}
    ids = [candidate for candidate in candidates if candidate is not None]
    if ids:
        await sessions.log_out(session, ids)
