from fastapi import Depends

from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.problems import ServiceUnavailableError, problem_responses
from chassis.security.dependencies import JWTDataDep, require_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)
from posts.creators import service
from posts.creators.dependencies import ValidCreatorDep
from posts.creators.exceptions import CreatorNotFoundError, SelfFollowError

router = create_router(tags=["creators"])


@router.put(
    "/creators/{profile_id}/followers/me",
    status_code=204,
    summary="Follow a creator",
    responses=problem_responses(*TOKEN_ERRORS, CreatorNotFoundError, SelfFollowError, ServiceUnavailableError),
    dependencies=[Depends(require_scope("follows:write"))],
)
async def follow_creator(jwt_data: JWTDataDep, creator: ValidCreatorDep, session: SessionDep) -> None:
    """From now on the caller is told of what the creator publishes. Following twice changes nothing."""
    await service.follow_creator(session, creator.id, jwt_data.user_id)


@router.delete(
    "/creators/{profile_id}/followers/me",
    status_code=204,
    summary="Unfollow a creator",
    responses=problem_responses(*TOKEN_ERRORS, CreatorNotFoundError, ServiceUnavailableError),
    dependencies=[Depends(require_scope("follows:write"))],
)
async def unfollow_creator(jwt_data: JWTDataDep, creator: ValidCreatorDep, session: SessionDep) -> None:
    """Also for one who does not follow."""
    await service.unfollow_creator(session, creator.id, jwt_data.user_id)
