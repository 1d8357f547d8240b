from fastapi import Request, Response

from auth.profiles.dependencies import NamedProfileDocumentDep, ValidProfileDocumentDep
from auth.profiles.exceptions import ProfileNotFoundError
from auth.profiles.schemas import ProfileRead
from auth.profiles.utils import create_named_response
from chassis.database.routing import create_router
from chassis.etags import NOT_MODIFIED, create_tagged_response
from chassis.problems import problem_responses

router = create_router(tags=["profiles"])


@router.get(
    "/profiles/{profile_id}",
    response_model=ProfileRead,
    status_code=200,
    summary="Get a profile",
    responses=NOT_MODIFIED | problem_responses(ProfileNotFoundError),
)
async def get_profile(request: Request, document: ValidProfileDocumentDep) -> Response:
    """What everybody may see of a user."""
    return create_tagged_response(request, document["version"], document["body"])


@router.get(
    "/profiles/by-username/{username}",
    response_model=ProfileRead,
    status_code=200,
    summary="Get a profile by its username",
    responses=NOT_MODIFIED
    | {308: {"description": "The same profile at its username of today, spelled as its owner does."}}
    | problem_responses(ProfileNotFoundError),
)
async def get_named_profile(request: Request, document: NamedProfileDocumentDep) -> Response:
    """A former username leads to the one of today, and so does another case."""
    return create_named_response(request, document)
