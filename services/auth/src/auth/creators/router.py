from fastapi import Request, Response

from auth.accounts.exceptions import EmailNotConfirmedError
from auth.creators import service
from auth.creators.dependencies import CurrentProfileDep, ValidCreatorDocumentDep
from auth.creators.exceptions import CreatorNotFoundError
from auth.creators.schemas import CreatorRead, CreatorUpdate
from auth.profiles.exceptions import NotOwnProfileError, ProfileNotFoundError
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.etags import NOT_MODIFIED, VersionStaleError, create_tagged_response
from chassis.problems import problem_responses
from chassis.security.exceptions import TOKEN_ERRORS

router = create_router(tags=["creators"])


@router.get(
    "/creators/{profile_id}",
    response_model=CreatorRead,
    status_code=200,
    summary="Get a creator",
    responses=NOT_MODIFIED | problem_responses(CreatorNotFoundError),
)
async def get_creator(request: Request, document: ValidCreatorDocumentDep) -> Response:
    """A profile that publishes."""
    return create_tagged_response(request, document["version"], document["body"])


@router.put(
    "/creators/{profile_id}",
    status_code=200,
    summary="Become a creator, or change how one is presented",
    responses=problem_responses(
        *TOKEN_ERRORS, NotOwnProfileError, EmailNotConfirmedError, ProfileNotFoundError, VersionStaleError
    ),
)
async def update_creator(profile: CurrentProfileDep, creator_data: CreatorUpdate, session: SessionDep) -> CreatorRead:
    """For one's own profile. Doing it again with the same values changes nothing."""
    return await service.update_creator(session, profile, creator_data)
