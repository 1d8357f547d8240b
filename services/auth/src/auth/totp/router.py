from fastapi import Depends

from auth.limits.dependencies import RateLimiterDep
from auth.limits.exceptions import LimitedError
from auth.mfa.constants import RECENT
from auth.mfa.dependencies import OwnAccountDep, OwnAttemptDep, require_full_login
from auth.mfa.exceptions import FactorsTooManyError, SecondFactorWrongError
from auth.mfa.schemas import RecoveryCodesRead
from auth.profiles.exceptions import ProfileNotFoundError
from auth.totp import service
from auth.totp.config import TotpConfig
from auth.totp.dependencies import CodeToolsDep, TotpBoxDep
from auth.totp.exceptions import EnrolmentMissingError
from auth.totp.schemas import EnrolmentRead, TotpConfirmation
from chassis.config import load_config
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.problems import problem_responses
from chassis.security.exceptions import (
    TOKEN_ERRORS,
    LoginTooOldError,
)

router = create_router(prefix="/auth/mfa/totp", tags=["second factor"])


@router.post(
    "",
    status_code=201,
    summary="Begin with an authenticator app",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, ProfileNotFoundError),
    dependencies=[Depends(require_full_login(RECENT))],
)
async def create_totp(account: OwnAccountDep, box: TotpBoxDep, session: SessionDep) -> EnrolmentRead:
    """Its secret, shown once. Logins are as before until the app is confirmed by its first code, in 15 minutes.

    An app that is on already stays until then, too: this is also how to change to another one.
    """
    return await service.create_enrolment(session, box, account, load_config(TotpConfig).issuer)


@router.put(
    "",
    status_code=200,
    summary="Confirm an authenticator app by its first code",
    responses=problem_responses(
        *TOKEN_ERRORS,
        SecondFactorWrongError,
        ProfileNotFoundError,
        EnrolmentMissingError,
        FactorsTooManyError,
        LimitedError,
    ),
)
async def update_totp(
    confirmation: TotpConfirmation,
    attempt: OwnAttemptDep,
    account: OwnAccountDep,
    limiter: RateLimiterDep,
    tools: CodeToolsDep,
    session: SessionDep,
) -> RecoveryCodesRead:
    """Logins ask for a code from now on. With the first factor come recovery codes, shown once."""
    codes = await service.confirm_enrolment(session, limiter, tools, account, attempt, confirmation.code)
    return RecoveryCodesRead(recovery_codes=codes)
