from uuid import UUID

from fastapi import Depends, Response

from auth.mfa import service
from auth.mfa.constants import RECENT
from auth.mfa.dependencies import MfaDocumentDep, OwnAccountDep, RecoveryCodeDigesterDep, require_full_login
from auth.mfa.exceptions import FactorNotFoundError, SecondFactorOffError
from auth.mfa.schemas import MfaRead, RecoveryCodesRead
from auth.profiles.exceptions import ProfileNotFoundError
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.problems import problem_responses
from chassis.security.exceptions import (
    TOKEN_ERRORS,
    LoginTooOldError,
)

router = create_router(prefix="/auth/mfa", tags=["second factor"])


@router.get(
    "",
    response_model=MfaRead,
    status_code=200,
    summary="Show one's own second factors",
    responses=problem_responses(*TOKEN_ERRORS, ProfileNotFoundError),
)
async def get_mfa(document: MfaDocumentDep) -> Response:
    """What a login asks for, and how many recovery codes are left; never a secret."""
    return Response(document["body"], media_type="application/json")


@router.post(
    "/recovery-codes",
    status_code=201,
    summary="Make new recovery codes",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, ProfileNotFoundError, SecondFactorOffError),
    dependencies=[Depends(require_full_login(RECENT))],
)
async def create_recovery_codes(
    account: OwnAccountDep, digester: RecoveryCodeDigesterDep, session: SessionDep
) -> RecoveryCodesRead:
    """Shown once. Those from before do not work any more. Wants a fresh login with the second factor."""
    return RecoveryCodesRead(recovery_codes=await service.create_new_recovery_codes(session, digester, account))


@router.delete(
    "/factors/{factor_id}",
    status_code=204,
    summary="Turn a second factor off",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, ProfileNotFoundError, FactorNotFoundError),
    dependencies=[Depends(require_full_login(RECENT))],
)
async def delete_factor(factor_id: UUID, account: OwnAccountDep, session: SessionDep) -> None:
    """Wants a fresh login with a second factor. With the last one the recovery codes go, too."""
    await service.remove_factor(session, account, factor_id)
