"""Proving once more, in a session that goes on, who one is."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.keys.utils import UserClaims
from auth.limits.constants import LimitRule
from auth.limits.service import RateLimiter
from auth.limits.utils import account_key
from auth.logins.constants import PASSWORD_AMR, Acr
from auth.logins.service import LoginTools, verify_password
from auth.passkeys.schemas import AssertionInput
from auth.passkeys.service import use_passkey
from auth.passkeys.utils import RelyingParty
from auth.sessions.exceptions import SessionEndedError
from auth.sessions.models import LoginSession, ended_at
from chassis.logs import get_logger

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProvedAgain:
    """Whose session is as good as a new login, and by what."""

    profile_id: UUID
    session_id: UUID
    amr: tuple[str, ...] = PASSWORD_AMR
    acr: Acr = Acr.ONE_FACTOR


async def check_password_again(tools: LoginTools, profile_id: UUID, password: str) -> bool:
    """Of somebody who is logged in. Only what fails counts. Raises LimitedError, HashingBusyError."""
    bucket = LimitRule.STEP_UP, account_key(profile_id)
    await tools.limiter.check(*bucket)
    account = await accounts.find_login_by_id(tools.reader, profile_id)
    is_valid = await verify_password(tools, password, account, bucket)
    if is_valid:
        await tools.limiter.give_back(*bucket)
    return is_valid


async def check_passkey_again(
    session: AsyncSession, limiter: RateLimiter, rp: RelyingParty, profile_id: UUID, assertion: AssertionInput
) -> bool:
    """The same with a passkey. Raises LimitedError."""
    bucket = LimitRule.STEP_UP, account_key(profile_id)
    await limiter.check(*bucket)
    is_valid = await use_passkey(session, rp, assertion, profile_id) is not None
    if is_valid:
        await limiter.give_back(*bucket)
    return is_valid


async def renew_session(session: AsyncSession, proved: ProvedAgain) -> UserClaims:
    """The session says from now on what was proved just now, and no more. Raises SessionEndedError.

    A password alone is one factor, also where there were two before.
    """
    statement = (
        update(LoginSession)
        .where(
            LoginSession.id == proved.session_id,
            LoginSession.profile_id == proved.profile_id,
            ended_at > func.now(),
        )
        .values(authenticated_at=func.now(), amr=list(proved.amr), acr=proved.acr.value)
        .returning(LoginSession)
    )
    family = (await session.scalars(statement.execution_options(populate_existing=True))).one_or_none()
    if family is None:
        raise SessionEndedError
    details = {"session_id": str(family.id), "amr": " ".join(proved.amr)}
    await record(session, AuditAction.STEP_UP_SUCCEEDED, subject_id=family.profile_id, details=details)
    logger.info("session_renewed", session_id=str(family.id), acr=proved.acr.value)
    return UserClaims(
        family.profile_id, family.id, family.client_id, family.scope, proved.amr, proved.acr, family.authenticated_at
    )
