from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Form
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from pydantic import SecretStr, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from auth.accounts import service as accounts
from auth.accounts.service import LoginAccount
from auth.devices.dependencies import ThisDeviceDep, set_device_cookie
from auth.limits.constants import LimitRule
from auth.limits.dependencies import RateLimiterDep
from auth.limits.utils import account_key, confirmation_key
from auth.pages.utils import Page
from auth.passwords.dependencies import HashingDep
from auth.passwords.schemas import Password, check_password_rules
from auth.recovery import service
from auth.recovery.exceptions import AddressUnavailableError, LinkInvalidError, PasswordWrongError
from auth.recovery.schemas import EmailChange, LinkForm, MailRequest, PasswordChange, PasswordReset, ResetForm
from auth.recovery.utils import (
    ADDRESS_UNAVAILABLE_PAGE,
    EMAIL_CHANGED_PAGE,
    EMAIL_HALF_CHANGED_PAGE,
    LINK_INVALID_PAGE,
    PASSWORD_SET_PAGE,
    build_reset_page,
)
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.security.dependencies import JWTDataDep

_PASSWORD: TypeAdapter[SecretStr] = TypeAdapter(Password)


async def limited_mail_request(request: MailRequest, limiter: RateLimiterDep) -> MailRequest:
    """By the address that is to get the mail, whether it is anybody's or not."""
    await limiter.check(LimitRule.MAIL, account_key(request.email))
    return request


async def limited_resend_request(request: MailRequest, limiter: RateLimiterDep) -> MailRequest:
    """Counted with sign-ups, which send the same mail, and apart from resets."""
    await limiter.check(LimitRule.MAIL, confirmation_key(request.email))
    return request


async def valid_email_change(change: EmailChange, jwt_data: JWTDataDep, limiter: RateLimiterDep) -> EmailChange:
    await limiter.check(LimitRule.EMAIL_CHANGE, account_key(str(jwt_data.user_id)))
    return change


@dataclass(frozen=True, slots=True)
class NewPassword:
    """Checked and hashed, before the transaction that sets it."""

    login: LoginAccount
    password_hash: str = field(repr=False)
    token: str = field(default="", repr=False)


async def valid_password_reset(reset: PasswordReset, reader: ReaderDep, hashing: HashingDep) -> NewPassword:
    login = await service.find_login_by_link(reader, reset.token)
    if login is None:
        raise LinkInvalidError
    apply_rules(reset.password, login)
    return NewPassword(login, await hashing.hash_password(reset.password.get_secret_value()), reset.token)


async def valid_password_change(
    change: PasswordChange, jwt_data: JWTDataDep, reader: ReaderDep, hashing: HashingDep, limiter: RateLimiterDep
) -> NewPassword:
    await limiter.check(LimitRule.STEP_UP, account_key(str(jwt_data.user_id)))
    login = await accounts.find_login_by_id(reader, jwt_data.user_id)
    password_hash = None if login is None else login.password_hash
    is_valid = await hashing.verify_password(change.current_password.get_secret_value(), password_hash)
    if login is None or not is_valid:
        raise PasswordWrongError
    apply_rules(change.password, login)
    return NewPassword(login, await hashing.hash_password(change.password.get_secret_value()))


def apply_rules(password: SecretStr, login: LoginAccount) -> None:
    """The rules that need to know whose password it is; 422 as any other malformed field."""
    try:
        check_password_rules(password, username=login.username, email=login.email)
    except PydanticCustomError as error:
        item = {"type": error.type, "loc": ("body", "password"), "msg": error.message(), "input": None}
        raise RequestValidationError([item]) from error


async def submit_reset(
    form: Annotated[ResetForm, Form()],
    reader: ReaderDep,
    hashing: HashingDep,
    device: ThisDeviceDep,
    session: SessionDep,
) -> Page:
    """The form, carried out if it can be, and the page that says what came of it."""
    login = await service.find_login_by_link(reader, form.token)
    if login is None:
        return LINK_INVALID_PAGE
    problem = find_problem(form.password, login)
    if problem is not None:
        return build_reset_page(form.token, problem=problem)
    password_hash = await hashing.hash_password(form.password.get_secret_value())
    try:
        await service.reset_password(session, form.token, password_hash, device)
    except LinkInvalidError:
        return LINK_INVALID_PAGE
    return PASSWORD_SET_PAGE


async def answer_reset(page: Annotated[Page, Depends(submit_reset)], device: ThisDeviceDep) -> HTMLResponse:
    """The page; with it, after a reset, what the device is known by."""
    response = page.to_response()
    if page is PASSWORD_SET_PAGE:
        set_device_cookie(response, device)
    return response


def find_problem(password: SecretStr, login: LoginAccount) -> str | None:
    """The first rule that a password breaks, in words."""
    try:
        check_password_rules(_PASSWORD.validate_python(password), username=login.username, email=login.email)
    except ValidationError as error:
        return f"This password cannot be taken: {error.errors(include_input=False)[0]['msg']}."
    except PydanticCustomError as error:
        return f"This password cannot be taken. {error.message()}."
    return None


async def submit_email_change(form: Annotated[LinkForm, Form()], session: SessionDep) -> Page:
    try:
        is_changed = await service.confirm_email_change(session, form.token)
    except LinkInvalidError:
        return LINK_INVALID_PAGE
    except AddressUnavailableError:
        # Nothing of it may stay: the page is an answer like any other, and would commit.
        await session.rollback()
        return ADDRESS_UNAVAILABLE_PAGE
    return EMAIL_CHANGED_PAGE if is_changed else EMAIL_HALF_CHANGED_PAGE


LimitedMailRequestDep = Annotated[MailRequest, Depends(limited_mail_request)]
LimitedResendRequestDep = Annotated[MailRequest, Depends(limited_resend_request)]
ValidEmailChangeDep = Annotated[EmailChange, Depends(valid_email_change)]
ValidPasswordResetDep = Annotated[NewPassword, Depends(valid_password_reset)]
ValidPasswordChangeDep = Annotated[NewPassword, Depends(valid_password_change)]
SubmittedResetDep = Annotated[HTMLResponse, Depends(answer_reset)]
SubmittedEmailChangeDep = Annotated[Page, Depends(submit_email_change)]
