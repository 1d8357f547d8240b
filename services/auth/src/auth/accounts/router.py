from fastapi import Depends, Request, Response

from auth.accounts import service
from auth.accounts.dependencies import CurrentOwnProfileDep, OwnProfileDocumentDep, ValidProfileUpdateDep
from auth.accounts.schemas import ProfileMe
from auth.accounts.utils import create_written_response
from auth.limits.exceptions import LimitedError
from auth.profiles.exceptions import ProfileNotFoundError, UsernameTakenError
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.etags import NOT_MODIFIED, VersionStaleError, create_tagged_response
from chassis.problems import problem_responses
from chassis.security.dependencies import require_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)

router = create_router()


@router.get(
    "/profiles/me",
    tags=["profiles"],
    response_model=ProfileMe,
    status_code=200,
    summary="Get one's own profile",
    responses=NOT_MODIFIED | problem_responses(*TOKEN_ERRORS, ProfileNotFoundError),
    dependencies=[Depends(require_scope("profile:read"))],
)
async def get_own_profile(request: Request, document: OwnProfileDocumentDep) -> Response:
    """With what only oneself may see."""
    return create_tagged_response(request, document["version"], document["body"])


@router.patch(
    "/profiles/me",
    tags=["profiles"],
    response_model=ProfileMe,
    status_code=200,
    summary="Change one's own profile",
    responses=problem_responses(
        *TOKEN_ERRORS, ProfileNotFoundError, UsernameTakenError, VersionStaleError, LimitedError
    ),
    dependencies=[Depends(require_scope("profile:write"))],
)
async def update_own_profile(
    profile: CurrentOwnProfileDep, profile_data: ValidProfileUpdateDep, session: SessionDep
) -> Response:
    """What is left out stays as it is. Send `If-Match` so as not to overwrite what another device wrote meanwhile.

    A former username leads to the profile and stays its owner's. A new one may be chosen only a few times a month.
    """
    document = await service.update_profile(session, profile, profile_data)
    return create_written_response(document)
