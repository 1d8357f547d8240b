from typing import Any
from uuid import UUID

from fastapi import Depends, Request, Response

from auth.accounts.dependencies import LockedOwnProfileDep
from auth.avatars import service
from auth.avatars.constants import SOURCE_MAX_BYTES
from auth.avatars.dependencies import AvatarSizeDep, OwnAvatarDocumentDep, ValidImageDep, ValidUploadDep
from auth.avatars.exceptions import AvatarNotFoundError, ImageTypeUnsupportedError
from auth.avatars.schemas import AvatarClaim, AvatarFailure, AvatarRead, AvatarResult
from auth.avatars.utils import create_image_response
from auth.limits.exceptions import LimitedError
from auth.profiles.exceptions import ProfileNotFoundError
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.etags import NOT_MODIFIED
from chassis.jobs.exceptions import JobNotClaimableError, JobNotFoundError, StaleFenceError
from chassis.problems import ContentTooLargeError, problem_responses
from chassis.security.dependencies import require_scope, require_service_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)

IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary", "maxLength": SOURCE_MAX_BYTES}}},
    }
}
IMAGE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}}, "description": "A square."}
}

router = create_router(tags=["profiles"])
jobs_router = create_router(
    prefix="/internal/avatars", tags=["internal"], dependencies=[Depends(require_service_scope("jobs:work"))]
)


@router.get(
    "/profiles/me/avatar",
    response_model=AvatarRead,
    status_code=200,
    summary="See what became of one's newest avatar",
    responses=problem_responses(*TOKEN_ERRORS, AvatarNotFoundError),
    dependencies=[Depends(require_scope("profile:read"))],
)
async def get_own_avatar(document: OwnAvatarDocumentDep) -> Response:
    """Once it is `ready`, everybody sees it at the `avatar_url` of the profile."""
    return Response(document, media_type="application/json")


@router.get(
    "/profiles/{profile_id}/avatars/{avatar_id}",
    response_class=Response,
    status_code=200,
    summary="Get an avatar",
    responses=IMAGE_ANSWER | NOT_MODIFIED | problem_responses(AvatarNotFoundError),
)
async def get_avatar(request: Request, avatar_id: UUID, size: AvatarSizeDep, image: ValidImageDep) -> Response:
    """It never changes: another avatar has another address, which is in the `avatar_url` of the profile."""
    return create_image_response(request, f"{avatar_id}.{size.value}", image)


@router.put(
    "/profiles/me/avatar",
    status_code=202,
    summary="Upload an avatar",
    responses=problem_responses(
        *TOKEN_ERRORS, ProfileNotFoundError, ContentTooLargeError, ImageTypeUnsupportedError, LimitedError
    ),
    openapi_extra=IMAGE_BODY,
    dependencies=[Depends(require_scope("profile:write"))],
)
async def update_own_avatar(image: ValidUploadDep, profile: LockedOwnProfileDep, session: SessionDep) -> AvatarRead:
    """The image itself is the body: JPEG, PNG, WebP or GIF of at most 1 MiB and 16 million pixels.

    It is cut to a square, and nothing that a camera wrote into it is kept. The avatar before is shown until then.
    """
    return await service.upload_avatar(session, profile, image)


@router.delete(
    "/profiles/me/avatar",
    status_code=204,
    summary="Do without an avatar",
    responses=problem_responses(*TOKEN_ERRORS, ProfileNotFoundError),
    dependencies=[Depends(require_scope("profile:write"))],
)
async def delete_own_avatar(profile: LockedOwnProfileDep, session: SessionDep) -> None:
    """Also takes back an upload that is not ready yet."""
    await service.delete_avatar(session, profile)


@jobs_router.post(
    "/{avatar_id}/claim",
    status_code=200,
    summary="Claim an avatar",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, JobNotClaimableError),
)
async def claim_avatar(avatar_id: UUID, session: SessionDep) -> AvatarClaim:
    """Take the job for a while, with the image as it was uploaded."""
    return await service.claim_avatar(session, avatar_id)


@jobs_router.post(
    "/{avatar_id}/result",
    status_code=204,
    summary="Report an avatar as done",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, StaleFenceError),
)
async def complete_avatar(avatar_id: UUID, result: AvatarResult, session: SessionDep) -> None:
    """The service shows the images as they are: decoding what was uploaded is the worker's part."""
    await service.complete_avatar(session, avatar_id, result)


@jobs_router.post(
    "/{avatar_id}/failure",
    status_code=204,
    summary="Report an avatar as failed",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, StaleFenceError),
)
async def fail_avatar(avatar_id: UUID, failure: AvatarFailure, session: SessionDep) -> None:
    """It is tried again after a while, a few times; then, or at once when `permanent`, its owner sees the `code`."""
    await service.fail_avatar(session, avatar_id, failure)
