from fastapi import Request, Response

from auth.accounts.dependencies import OwnProfileDocumentDep
from auth.accounts.schemas import ProfileMe
from auth.profiles.exceptions import ProfileNotFoundError
from chassis.database.routing import create_router
from chassis.etags import NOT_MODIFIED, create_tagged_response
from chassis.problems import problem_responses
from chassis.security.exceptions import TokenExpiredError, TokenInvalidError, TokenMissingError

TOKEN_ERRORS = (TokenMissingError, TokenInvalidError, TokenExpiredError)

router = create_router()


@router.get(
    "/profiles/me",
    tags=["profiles"],
    response_model=ProfileMe,
    status_code=200,
    summary="Get one's own profile",
    responses=NOT_MODIFIED | problem_responses(*TOKEN_ERRORS, ProfileNotFoundError),
)
async def get_own_profile(request: Request, document: OwnProfileDocumentDep) -> Response:
    """With what only oneself may see."""
    return create_tagged_response(request, document["version"], document["body"])
