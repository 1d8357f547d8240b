from typing import Annotated

from fastapi import Depends, Query, Response
from fastapi.responses import HTMLResponse

from auth.accounts.exceptions import AccountChangedError
from auth.confirmations.constants import TOKEN_MAX_LENGTH, Purpose
from auth.confirmations.dependencies import ConfirmationSignerDep
from auth.devices.dependencies import ThisDeviceDep, set_device_cookie
from auth.limits.constants import LimitRule
from auth.limits.dependencies import limit_by_address
from auth.limits.exceptions import LimitedError
from auth.mfa.constants import RECENT
from auth.mfa.dependencies import require_full_login
from auth.passwords.exceptions import HashingBusyError
from auth.recovery import service
from auth.recovery.dependencies import (
    LimitedMailRequestDep,
    LimitedResendRequestDep,
    SubmittedEmailChangeDep,
    SubmittedResetDep,
    ValidEmailChangeDep,
    ValidPasswordChangeDep,
    ValidPasswordResetDep,
)
from auth.recovery.exceptions import AddressUnavailableError, LinkInvalidError, PasswordWrongError
from auth.recovery.schemas import EmailChangeState, LinkUse
from auth.recovery.utils import build_email_change_page, build_reset_page
from chassis.database.dependencies import SessionDep
from chassis.database.routing import create_router
from chassis.problems import problem_responses
from chassis.security.dependencies import JWTDataDep
from chassis.security.exceptions import (
    TOKEN_ERRORS,
    LoginTooOldError,
)

router = create_router(prefix="/auth", tags=["recovery"])

TokenQuery = Annotated[str, Query(max_length=TOKEN_MAX_LENGTH, description="From the mail.")]


@router.post(
    "/confirmation-mails",
    status_code=202,
    summary="Ask for the confirmation mail again",
    responses=problem_responses(LimitedError),
    dependencies=[Depends(limit_by_address(LimitRule.RESEND))],
)
async def create_confirmation_mail(request: LimitedResendRequestDep, session: SessionDep) -> None:
    """Always 202: whether an address waits to be confirmed is told to its mailbox alone."""
    await service.request_mail(session, request.email, Purpose.SIGN_UP)


@router.post(
    "/password-resets",
    status_code=202,
    summary="Ask for a mail to set a new password",
    responses=problem_responses(LimitedError),
    dependencies=[Depends(limit_by_address(LimitRule.RESET))],
)
async def create_password_reset(request: LimitedMailRequestDep, session: SessionDep) -> None:
    """Always 202: whether an address has an account is told to its mailbox alone."""
    await service.request_mail(session, request.email, Purpose.PASSWORD_RESET)


@router.put(
    "/password-resets",
    status_code=204,
    summary="Set a new password with the token of a mail",
    responses=problem_responses(LinkInvalidError, HashingBusyError, LimitedError),
    dependencies=[Depends(limit_by_address(LimitRule.CONFIRM))],
)
async def update_password_reset(
    response: Response, new: ValidPasswordResetDep, device: ThisDeviceDep, session: SessionDep
) -> None:
    """Logs out everywhere. Second factors stay: it is the password that was lost. This device is known from now on."""
    await service.reset_password(session, new.token, new.password_hash, device)
    set_device_cookie(response, device)


@router.get(
    "/password-reset",
    response_class=HTMLResponse,
    status_code=200,
    summary="Show the page that a reset mail leads to",
)
async def show_password_reset(token: TokenQuery = "") -> HTMLResponse:
    """Changes nothing, however often a mail scanner opens it."""
    return build_reset_page(token).to_response()


@router.post(
    "/password-reset",
    response_class=HTMLResponse,
    status_code=200,
    summary="Set a new password by the page's button",
    responses=problem_responses(HashingBusyError, LimitedError),
    dependencies=[Depends(limit_by_address(LimitRule.CONFIRM))],
)
async def submit_password_reset(page: SubmittedResetDep) -> HTMLResponse:
    """Answers with a page that says what came of it."""
    return page


@router.put(
    "/password",
    status_code=204,
    summary="Change one's password",
    responses=problem_responses(
        *TOKEN_ERRORS, LoginTooOldError, PasswordWrongError, AccountChangedError, HashingBusyError, LimitedError
    ),
    dependencies=[Depends(require_full_login(RECENT))],
)
async def update_password(
    new: ValidPasswordChangeDep, jwt_data: JWTDataDep, device: ThisDeviceDep, session: SessionDep
) -> None:
    """All other sessions end; the one that asks goes on."""
    session_id = jwt_data.session_id
    await service.change_password(session, new.login, new.password_hash, session_id=session_id, device=device)


@router.post(
    "/email-changes",
    status_code=202,
    summary="Ask for another e-mail address",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, AccountChangedError, LimitedError),
    dependencies=[Depends(require_full_login(RECENT))],
)
async def create_email_change(
    change: ValidEmailChangeDep, jwt_data: JWTDataDep, signer: ConfirmationSignerDep, session: SessionDep
) -> None:
    """A mail goes to the old and to the new address; the change happens when both have confirmed, in any order."""
    await service.request_email_change(session, signer, jwt_data.user_id, change.email)


@router.put(
    "/email-changes",
    status_code=200,
    summary="Confirm a change of address with the token of a mail",
    responses=problem_responses(LinkInvalidError, AddressUnavailableError, LimitedError),
    dependencies=[Depends(limit_by_address(LimitRule.CONFIRM))],
)
async def update_email_change(link: LinkUse, session: SessionDep) -> EmailChangeState:
    """Once for each of the two addresses."""
    return EmailChangeState(is_changed=await service.confirm_email_change(session, link.token))


@router.get(
    "/email-change",
    response_class=HTMLResponse,
    status_code=200,
    summary="Show the page that a mail about a change of address leads to",
)
async def show_email_change(token: TokenQuery = "") -> HTMLResponse:
    """Changes nothing, however often a mail scanner opens it."""
    return build_email_change_page(token).to_response()


@router.post(
    "/email-change",
    response_class=HTMLResponse,
    status_code=200,
    summary="Confirm a change of address by the page's button",
    responses=problem_responses(LimitedError),
    dependencies=[Depends(limit_by_address(LimitRule.CONFIRM))],
)
async def submit_email_change(page: SubmittedEmailChangeDep) -> HTMLResponse:
    """Answers with a page that says what came of it."""
    return page.to_response()
