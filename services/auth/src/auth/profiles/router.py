from typing import Annotated, Any

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse

from auth.confirmations.constants import TOKEN_MAX_LENGTH
from auth.confirmations.dependencies import ConfirmationSignerDep
from auth.confirmations.exceptions import ConfirmationInvalidError
from auth.confirmations.schemas import ConfirmationForm, ConfirmationUse
from auth.confirmations.utils import PAGE_HEADERS, build_outcome_page, build_question_page
from auth.profiles import service
from auth.profiles.dependencies import (
    CurrentProfileDep,
    OwnProfileDocumentDep,
    ValidCreatorDocumentDep,
    ValidProfileDocumentDep,
    ValidRegistrationDep,
)
from auth.profiles.exceptions import (
    CreatorNotFoundError,
    EmailNotConfirmedError,
    EmailTakenError,
    HashingBusyError,
    NotOwnProfileError,
    ProfileNotFoundError,
    UsernameTakenError,
)
from auth.profiles.schemas import CreatorRead, CreatorUpdate, ProfileMe, ProfileRead
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.etags import VersionStaleError, create_tagged_response
from chassis.idempotency import IdempotencyDep, IdempotencyKeyBusyError, IdempotencyKeyReusedError
from chassis.problems import problem_responses
from chassis.security.exceptions import TokenExpiredError, TokenInvalidError, TokenMissingError

router = create_router()

TOKEN_ERRORS = (TokenMissingError, TokenInvalidError, TokenExpiredError)
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Not changed since the `ETag` in `If-None-Match`."}
}


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


@router.get(
    "/profiles/{profile_id}",
    tags=["profiles"],
    response_model=ProfileRead,
    status_code=200,
    summary="Get a profile",
    responses=NOT_MODIFIED | problem_responses(ProfileNotFoundError),
)
async def get_profile(request: Request, document: ValidProfileDocumentDep) -> Response:
    """What everybody may see of a user."""
    return create_tagged_response(request, document["version"], document["body"])


@router.post(
    "/profiles",
    tags=["profiles"],
    status_code=201,
    summary="Sign up",
    responses=problem_responses(
        EmailTakenError, UsernameTakenError, IdempotencyKeyBusyError, IdempotencyKeyReusedError, HashingBusyError
    ),
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
    responses=problem_responses(ConfirmationInvalidError),
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
    return HTMLResponse(build_question_page(token), headers=PAGE_HEADERS)


@router.post(
    "/auth/confirmation",
    tags=["confirmations"],
    response_class=HTMLResponse,
    status_code=200,
    summary="Confirm an e-mail address by the page's button",
)
async def submit_confirmation(form: Annotated[ConfirmationForm, Form()], session: SessionDep) -> HTMLResponse:
    """Answers with a page that says what came of it."""
    is_confirmed = await service.confirm_profile(session, form.token)
    return HTMLResponse(build_outcome_page(is_confirmed=is_confirmed), 200 if is_confirmed else 400, PAGE_HEADERS)


@router.get(
    "/creators/{profile_id}",
    tags=["creators"],
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
    tags=["creators"],
    status_code=200,
    summary="Become a creator, or change how one is presented",
    responses=problem_responses(
        *TOKEN_ERRORS, NotOwnProfileError, EmailNotConfirmedError, ProfileNotFoundError, VersionStaleError
    ),
)
async def update_creator(profile: CurrentProfileDep, creator_data: CreatorUpdate, session: SessionDep) -> CreatorRead:
    """For one's own profile. Doing it again with the same values changes nothing."""
    return await service.update_creator(session, profile, creator_data)
