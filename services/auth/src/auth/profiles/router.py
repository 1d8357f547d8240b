from fastapi import Request, Response

from auth.profiles.dependencies import ValidProfileDocumentDep
from auth.profiles.exceptions import ProfileNotFoundError
from auth.profiles.schemas import ProfileRead
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
