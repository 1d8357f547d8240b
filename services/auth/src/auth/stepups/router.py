from auth.keys.constants import ACCESS_TOKEN_SECONDS
from auth.keys.dependencies import TokenIssuerDep
from auth.limits.exceptions import LimitedError
from auth.mfa.exceptions import SecondFactorMissingError, SecondFactorWrongError
from auth.passkeys.exceptions import PasskeyWrongError
from auth.passwords.exceptions import HashingBusyError
from auth.recovery.exceptions import PasswordWrongError
from auth.sessions.exceptions import SessionEndedError
from auth.stepups import service
from auth.stepups.dependencies import ValidStepUpDep
from auth.stepups.schemas import SteppedUpRead
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.problems import problem_responses
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)

router = create_router(prefix="/auth", tags=["sessions"])


@router.post(
    "/step-up",
    status_code=200,
    summary="Prove once more who one is",
    responses=problem_responses(
        *TOKEN_ERRORS,
        PasswordWrongError,
        SecondFactorMissingError,
        SecondFactorWrongError,
        PasskeyWrongError,
        SessionEndedError,
        HashingBusyError,
        LimitedError,
    ),
)
async def create_step_up(proved: ValidStepUpDep, issuer: TokenIssuerDep, session: SessionDep) -> SteppedUpRead:
    """Where a route wants a fresh or a stronger login (`login_too_old`): its new access token opens it.

    By the password and, where the account has a second factor, a code of it (`mfa_required` without one); or by
    a passkey alone, with what `navigator.credentials.get()` gave for the options of a login. With two factors, which a
    passkey is by itself, the session says `acr` `aal2`.
    """
    claims = await service.renew_session(session, proved)
    return SteppedUpRead(
        access_token=issuer.issue_user_token(claims),
        token_type="bearer",  # noqa: S106 - a type
        expires_in=ACCESS_TOKEN_SECONDS,
        scope=claims.scope,
    )
