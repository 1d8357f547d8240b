"""Authorization codes: for one app, one redirect URI, one verifier, one time, and a minute."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.accounts.exceptions import AccountChangedError
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.clients.exceptions import GrantInvalidError, GrantReusedError
from auth.codes.constants import CODE_KEPT, CODE_LIFETIME, PRUNE_CODES
from auth.codes.models import AppCode
from auth.codes.utils import is_verifier_of
from auth.sessions.constants import EndReason
from auth.sessions.models import LoginSession, ended_at
from auth.sessions.service import DeviceInfo, NewSession, OpenSession, create_session, end_sessions
from auth.sessions.utils import RefreshChain, compute_digest
from chassis.logs import get_logger

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewCode:
    app_id: UUID
    profile_id: UUID
    redirect_uri: str | None
    scope: str
    code_challenge: str
    login_id: UUID
    amr: tuple[str, ...]
    acr: str
    authenticated_at: datetime


@dataclass(frozen=True, slots=True)
class Redemption:
    """What an app shows to get its tokens."""

    code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str | None


async def create_code(session: AsyncSession, new: NewCode) -> str:
    code = secrets.token_urlsafe(32)
    session.add(
        AppCode(
            digest=compute_digest(code),
            app_id=new.app_id,
            profile_id=new.profile_id,
            redirect_uri=new.redirect_uri,
            scope=new.scope,
            code_challenge=new.code_challenge,
            login_id=new.login_id,
            amr=list(new.amr),
            acr=new.acr,
            authenticated_at=new.authenticated_at,
            expires_at=func.now() + CODE_LIFETIME,
        )
    )
    await session.flush()
    return code


async def redeem_code(
    session: AsyncSession, chain: RefreshChain, app_id: UUID, redemption: Redemption, device: DeviceInfo
) -> OpenSession:
    """A session in the app, of the login that let it in. Raises GrantInvalidError, GrantReusedError.

    Of two at once the later waits for the earlier, and then is one that uses it again.
    """
    digest = compute_digest(redemption.code)
    query = select(AppCode, AppCode.expires_at > func.now()).where(AppCode.digest == digest, AppCode.app_id == app_id)
    row = (await session.execute(query.with_for_update())).one_or_none()
    if row is None:
        raise GrantInvalidError
    code, is_alive = row
    if code.used_at is not None:
        await _end_reused(session, code)
        raise GrantReusedError
    if not is_alive or code.redirect_uri not in (None, redemption.redirect_uri):
        raise GrantInvalidError
    if not is_verifier_of(code.code_challenge, redemption.code_verifier):
        raise GrantInvalidError
    opened = await _open_session(session, chain, code, device)
    code.used_at, code.session_id = func.now(), opened.id
    await session.flush()
    return opened


async def _open_session(session: AsyncSession, chain: RefreshChain, code: AppCode, device: DeviceInfo) -> OpenSession:
    new = NewSession(
        profile_id=code.profile_id,
        client_id=str(code.app_id),
        scope=code.scope,
        amr=tuple(code.amr),
        acr=code.acr,
        device=device,
        authenticated_at=code.authenticated_at,
    )
    try:
        opened = await create_session(session, chain, new)
    except AccountChangedError as error:
        raise GrantInvalidError from error
    # Afterwards, when the account is held: a new password has ended the login by now, or ends this session, too.
    login = select(LoginSession.id).where(LoginSession.id == code.login_id, ended_at > func.now())
    if await session.scalar(login) is None:
        raise GrantInvalidError
    return opened


async def _end_reused(session: AsyncSession, code: AppCode) -> None:
    """RFC 6749, 4.1.2: who uses it again may be who stole it, or whom it was stolen from."""
    ids = [code.session_id] if code.session_id is not None else []
    logger.warning("code_reused", client_id=str(code.app_id), user_id=str(code.profile_id))
    if await end_sessions(session, EndReason.CODE_REUSED, session_ids=ids):
        await accounts.notify_owner(session, code.profile_id, NoticeKind.SESSION_REUSED)
        details = {"client_id": str(code.app_id), "session_id": str(code.session_id)}
        await record(session, AuditAction.CODE_REUSED, subject_id=code.profile_id, details=details)


async def delete_codes(session: AsyncSession, app_id: UUID, profile_id: UUID | None = None) -> None:
    """Of an app, or of what one person let it do. Waits for who redeems one just now."""
    statement = delete(AppCode).where(AppCode.app_id == app_id)
    if profile_id is not None:
        statement = statement.where(AppCode.profile_id == profile_id)
    await session.execute(statement)


async def delete_old_codes(session: AsyncSession) -> int:
    """Some of those that are long over; how many."""
    over = (
        select(AppCode.digest)
        .where(AppCode.expires_at < func.now() - CODE_KEPT)
        .limit(PRUNE_CODES)
        .with_for_update(skip_locked=True)
    )
    statement = delete(AppCode).where(AppCode.digest.in_(over)).returning(AppCode.digest)
    return len((await session.scalars(statement)).all())
