"""Proving once more, in a session that goes on, who one is: by all that the account's logins ask for."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.service import LoginAccount
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.keys.utils import UserClaims
from auth.limits.constants import LimitRule
from auth.limits.service import RateLimiter
from auth.limits.utils import account_key
from auth.logins.constants import MFA_AMR, PASSWORD_AMR, Acr
from auth.logins.service import LoginTools, verify_password
from auth.mfa import service as mfa
from auth.mfa.exceptions import SecondFactorMissingError, SecondFactorWrongError
from auth.mfa.schemas import Proof, Prover
from auth.passkeys.constants import PASSKEY_LOGIN_AMR
from auth.passkeys.exceptions import PasskeyWrongError
from auth.passkeys.service import PasskeyProof
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


async def check_password_again(tools: LoginTools, profile_id: UUID, password: str) -> LoginAccount | None:
    """Of somebody who is logged in. Only what fails counts. Raises LimitedError, HashingBusyError."""
    bucket = LimitRule.STEP_UP, account_key(profile_id)
    await tools.limiter.check(*bucket)
    account = await accounts.find_login_by_id(tools.reader, profile_id)
    if not await verify_password(tools, password, account, bucket):
        return None
    await tools.limiter.give_back(*bucket)
    return account


async def check_second_factor(
    session: AsyncSession, limiter: RateLimiter, prover: Prover, session_id: UUID, proof: Proof | None
) -> ProvedAgain:
    """After the password, where the account has a second factor.

    Raises SecondFactorMissingError, SecondFactorWrongError, LimitedError, SessionEndedError.
    """
    attempt = None if proof is None else await mfa.begin_attempt(limiter, prover)
    account = await accounts.hold_login(session, prover.profile_id)
    if account is None:
        raise SessionEndedError
    if proof is None or attempt is None:
        raise SecondFactorMissingError(await mfa.list_methods(session, account.profile_id, account.second_factors))
    if not await mfa.check_proof(session, limiter, attempt, proof):
        raise SecondFactorWrongError
    amr = *PASSWORD_AMR, *proof.amr, MFA_AMR
    return ProvedAgain(account.profile_id, session_id, amr, Acr.TWO_FACTORS)


async def check_passkey_again(
    session: AsyncSession, limiter: RateLimiter, prover: Prover, session_id: UUID, passkey: PasskeyProof
) -> ProvedAgain:
    """Both factors at once. Raises PasskeyWrongError, LimitedError, SessionEndedError."""
    attempt = await mfa.begin_attempt(limiter, prover)
    if await accounts.hold_login(session, prover.profile_id) is None:
        raise SessionEndedError
    if not await mfa.check_proof(session, limiter, attempt, passkey):
        raise PasskeyWrongError
    return ProvedAgain(prover.profile_id, session_id, PASSKEY_LOGIN_AMR, Acr.TWO_FACTORS)


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
