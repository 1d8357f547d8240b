from fastapi import Depends

from auth.confirmations.dependencies import ValidConfirmationDep
from auth.confirmations.exceptions import ConfirmationNotFoundError
from auth.confirmations.schemas import ConfirmationRead
from chassis.database.routing import create_router
from chassis.problems import problem_responses
from chassis.security.dependencies import require_service_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)

router = create_router(prefix="/internal/confirmations", tags=["internal"])


@router.get(
    "/{confirmation_id}",
    status_code=200,
    summary="Get the token of a confirmation",
    responses=problem_responses(*TOKEN_ERRORS, ConfirmationNotFoundError),
    dependencies=[Depends(require_service_scope("confirmations:read"))],
)
async def get_confirmation(confirmation: ValidConfirmationDep) -> ConfirmationRead:
    """For the mail that carries it. The same on every call, for as long as the confirmation is open."""
    return confirmation
