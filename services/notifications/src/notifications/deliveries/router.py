"""What the worker asks for, and reports. Never routed by the gateway."""

from uuid import UUID

from fastapi import Depends

from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.http.exceptions import UpstreamUnavailableError
from chassis.jobs.exceptions import JobNotClaimableError, JobNotFoundError, StaleFenceError
from chassis.jobs.router import create_due_jobs_router
from chassis.problems import problem_responses
from chassis.security.dependencies import require_service_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)
from notifications.confirmations.dependencies import ConfirmationsDep
from notifications.confirmations.exceptions import ConfirmationGoneError
from notifications.deliveries import service
from notifications.deliveries.dependencies import ClaimedEmailDep
from notifications.deliveries.schemas import (
    EmailClaim,
    EmailContent,
    EmailDotInput,
    EmailFailureInput,
    EmailResultInput,
)

REFUSED = (*TOKEN_ERRORS, JobNotFoundError)

router = create_router(
    prefix="/internal/emails", tags=["internal"], dependencies=[Depends(require_service_scope("jobs:work"))]
)
due_router = create_due_jobs_router([service.EMAIL_JOBS])


@router.get(
    "/{email_id}/content",
    summary="Get the content of a claimed e-mail",
    responses=problem_responses(*REFUSED, StaleFenceError, ConfirmationGoneError, UpstreamUnavailableError),
)
async def get_email_content(draft: ClaimedEmailDep, confirmations: ConfirmationsDep) -> EmailContent:
    """Subject, text and HTML, the same at every try. For a confirmation auth is asked, and may be away."""
    return await service.get_content(draft, confirmations)


@router.post(
    "/{email_id}/claim",
    summary="Claim an e-mail",
    responses=problem_responses(*REFUSED, JobNotClaimableError),
)
async def claim_email(email_id: UUID, session: SessionDep) -> EmailClaim:
    """Lease it under a new fence. Refused while another has it, and when it may be sent but once and perhaps was."""
    return await service.claim_email(session, email_id)


@router.post(
    "/{email_id}/dot",
    status_code=204,
    summary="Announce the final dot",
    responses=problem_responses(*REFUSED, StaleFenceError),
)
async def record_dot(email_id: UUID, dot: EmailDotInput, session: SessionDep) -> None:
    """The point of no return: on a 204 the worker ends the message. Refused with less than 30 s of the lease left."""
    await service.record_dot(session, email_id, fence=dot.fence)


@router.post(
    "/{email_id}/result",
    status_code=204,
    summary="Report that the hop took an e-mail",
    responses=problem_responses(*REFUSED, StaleFenceError),
)
async def record_result(email_id: UUID, result: EmailResultInput, session: SessionDep) -> None:
    """Safe to repeat with the same fence."""
    await service.record_result(session, email_id, fence=result.fence, smtp_reply=result.smtp_reply)


@router.post(
    "/{email_id}/failure",
    status_code=204,
    summary="Report that the hop did not take an e-mail",
    responses=problem_responses(*REFUSED, StaleFenceError),
)
async def record_failure(email_id: UUID, failure: EmailFailureInput, session: SessionDep) -> None:
    """Another try follows after a pause, or none if the failure is permanent. Safe to repeat with the same fence."""
    await service.record_failure(
        session, email_id, fence=failure.fence, error=failure.error, permanent=failure.permanent
    )
