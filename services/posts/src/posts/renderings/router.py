from uuid import UUID

from fastapi import Depends

from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.jobs.exceptions import JobNotClaimableError, JobNotFoundError, StaleFenceError
from chassis.problems import problem_responses
from chassis.security.dependencies import require_service_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)
from posts.renderings import service
from posts.renderings.schemas import RenderingClaim, RenderingFailure, RenderingResult

router = create_router(
    prefix="/internal/renderings", tags=["internal"], dependencies=[Depends(require_service_scope("jobs:work"))]
)


@router.post(
    "/{rendering_id}/claim",
    summary="Claim a rendering",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, JobNotClaimableError),
)
async def claim_rendering(rendering_id: UUID, session: SessionDep) -> RenderingClaim:
    """Take the job for a while, with the Markdown to render."""
    return await service.claim_rendering(session, rendering_id)


@router.post(
    "/{rendering_id}/result",
    status_code=204,
    summary="Report a rendering as done",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, StaleFenceError),
)
async def complete_rendering(rendering_id: UUID, result: RenderingResult, session: SessionDep) -> None:
    """The service shows the HTML as it is: sanitising it is the worker's part."""
    await service.complete_rendering(session, rendering_id, result)


@router.post(
    "/{rendering_id}/failure",
    status_code=204,
    summary="Report a rendering as failed",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, StaleFenceError),
)
async def fail_rendering(rendering_id: UUID, failure: RenderingFailure, session: SessionDep) -> None:
    """It is tried again after a while, a few times; then, or at once when `permanent`, its creator sees the `code`."""
    await service.fail_rendering(session, rendering_id, failure)
