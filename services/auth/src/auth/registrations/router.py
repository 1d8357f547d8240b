from typing import Annotated

from fastapi import Depends, Form, Query
from fastapi.responses import HTMLResponse

from auth.accounts.schemas import ProfileMe
from auth.confirmations.constants import TOKEN_MAX_LENGTH
from auth.confirmations.dependencies import ConfirmationSignerDep
from auth.confirmations.exceptions import ConfirmationInvalidError
from auth.confirmations.schemas import ConfirmationForm, ConfirmationUse
from auth.limits.constants import LimitRule
from auth.limits.dependencies import limit_by_address
from auth.limits.exceptions import LimitedError
from auth.passwords.exceptions import HashingBusyError
from auth.profiles.exceptions import UsernameTakenError
from auth.registrations import service
from auth.registrations.dependencies import ValidRegistrationDep
from auth.registrations.utils import CONFIRMED_PAGE, NOT_CONFIRMED_PAGE, build_confirmation_page
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.idempotency import IdempotencyDep, IdempotencyKeyBusyError, IdempotencyKeyReusedError
from chassis.problems import problem_responses

router = create_router()


@router.post(
    "/profiles",
    tags=["profiles"],
    status_code=201,
    summary="Sign up",
    responses=problem_responses(
        UsernameTakenError, IdempotencyKeyBusyError, IdempotencyKeyReusedError, HashingBusyError, LimitedError
    ),
    dependencies=[Depends(limit_by_address(LimitRule.SIGN_UP))],
)
async def create_profile(
    # The order counts: the password is hashed before the idempotency key opens the transaction.
    registration: ValidRegistrationDep,
    _: IdempotencyDep,
    signer: ConfirmationSignerDep,
    session: SessionDep,
) -> ProfileMe:
    """Creates a user and sends a mail that asks them to confirm their address, which they must before they log in."""
    return await service.create_profile(session, signer, registration)


@router.post(
    "/profiles/confirmations",
    tags=["confirmations"],
    status_code=204,
    summary="Confirm an e-mail address",
    responses=problem_responses(ConfirmationInvalidError, LimitedError),
    dependencies=[Depends(limit_by_address(LimitRule.CONFIRM))],
)
async def confirm_profile(confirmation: ConfirmationUse, session: SessionDep) -> None:
    """With the token from the mail, which works once."""
    await service.confirm_profile_or_raise(session, confirmation.token)


@router.get(
    "/auth/confirmation",
    tags=["confirmations"],
    response_class=HTMLResponse,
    status_code=200,
    summary="Show the page that a confirmation mail leads to",
)
async def show_confirmation(
    token: Annotated[str, Query(max_length=TOKEN_MAX_LENGTH, description="From the mail.")] = "",
) -> HTMLResponse:
    """Changes nothing, however often a mail scanner opens it: its button does."""
    return build_confirmation_page(token).to_response()


@router.post(
    "/auth/confirmation",
    tags=["confirmations"],
    response_class=HTMLResponse,
    status_code=200,
    summary="Confirm an e-mail address by the page's button",
    responses=problem_responses(LimitedError),
    dependencies=[Depends(limit_by_address(LimitRule.CONFIRM))],
)
async def submit_confirmation(form: Annotated[ConfirmationForm, Form()], session: SessionDep) -> HTMLResponse:
    """Answers with a page that says what came of it."""
    is_confirmed = await service.confirm_profile(session, form.token)
    return (CONFIRMED_PAGE if is_confirmed else NOT_CONFIRMED_PAGE).to_response()
