from fastapi import Depends, Response

from auth.accounts.exceptions import LastAdminError
from auth.deletions import service
from auth.deletions.dependencies import LockedOwnAccountDep
from auth.mfa.constants import RECENT
from auth.mfa.dependencies import require_full_login
from auth.profiles.exceptions import ProfileNotFoundError
from auth.sessions.dependencies import DeviceInfoDep
from auth.tokens.dependencies import set_refresh_cookie
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.problems import problem_responses
from chassis.security.exceptions import (
    TOKEN_ERRORS,
    LoginTooOldError,
)

router = create_router(tags=["profiles"])


@router.delete(
    "/profiles/me",
    status_code=204,
    summary="Delete one's account",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, ProfileNotFoundError, LastAdminError),
    dependencies=[Depends(require_full_login(RECENT))],
)
async def delete_own_profile(
    response: Response, account: LockedOwnAccountDep, device: DeviceInfoDep, session: SessionDep
) -> None:
    """At once and for good, with posts, follows and notifications; a review leaves its rating, and nobody's name.

    All sessions end, in every service within a second. A last mail says that it is done. No username that one had is
    given to anybody again.
    """
    await service.delete_own_account(session, account, address=device.address)
    set_refresh_cookie(response, "", 0)
