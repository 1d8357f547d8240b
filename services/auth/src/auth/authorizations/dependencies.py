import re
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse

from auth.apps import service as apps
from auth.apps.utils import is_registered
from auth.authorizations import service
from auth.authorizations.constants import PATH, ErrorCode, Step
from auth.authorizations.exceptions import AppUnknownError, SentBackError
from auth.authorizations.schemas import Authorization, AuthorizationQuery, BrowserLogin, StepForm, Target
from auth.authorizations.utils import (
    build_bounce_page,
    build_code_page,
    build_consent_page,
    build_form_target,
    build_location,
    build_login_page,
)
from auth.codes.constants import CHALLENGE_PATTERN
from auth.config import PublicConfig
from auth.devices.dependencies import ThisDeviceDep, set_device_cookie
from auth.devices.service import ThisDevice
from auth.limits.dependencies import AddressKeyDep
from auth.logins import service as logins
from auth.logins.dependencies import LoginToolsDep
from auth.logins.exceptions import (
    AccountBannedError,
    CredentialsInvalidError,
    LoginNotConfirmedError,
    MfaRequiredError,
    MfaTokenInvalidError,
    SecondFactorRefusedError,
)
from auth.logins.service import CheckedLogin, LoginTools, MfaLogin, PasswordLogin
from auth.mfa.constants import Method
from auth.mfa.schemas import Asked
from auth.pages.utils import Page
from auth.sessions.dependencies import RefreshChainDep
from auth.sessions.utils import RefreshChain
from auth.tokens.dependencies import RefreshCookie, refuse_cross_site, set_refresh_cookie
from auth.totp.dependencies import CodeToolsDep
from auth.totp.service import CodeTools
from chassis.config import load_config
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import TransactionalRoute
from chassis.problems import ProblemError

SEE_OTHER = 303
FORBIDDEN = 403
REFUSED = (CredentialsInvalidError, LoginNotConfirmedError, AccountBannedError)
LATE = "It took too long, or began elsewhere."

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_CHALLENGE = re.compile(CHALLENGE_PATTERN)


class PageRoute(TransactionalRoute):
    """Refusals are pages, too, or lead back to the app: it is people who read them."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError:
                return Page("This request cannot be read", status=400).to_response()
            except SentBackError as error:
                return RedirectResponse(error.location, SEE_OTHER)
            except ProblemError as error:
                response = Page(error.title or "This did not work", status=error.status).to_response()
                response.headers.update(error.headers)
                return response

        return handle_as_page


async def valid_target(request: Request, query: Annotated[AuthorizationQuery, Query()], reader: ReaderDep) -> Target:
    """Raises AppUnknownError, SentBackError."""
    repeated = {
        name for name, count in Counter(name for name, _ in request.query_params.multi_items()).items() if count > 1
    }
    app = await apps.find_app(reader, query.client_id)
    if app is None or repeated & {"client_id", "redirect_uri"}:
        raise AppUnknownError
    redirect_uri = query.redirect_uri
    if redirect_uri is None and len(app.redirect_uris) == 1:
        redirect_uri = app.redirect_uris[0]
    if redirect_uri is None or not is_registered(app.redirect_uris, redirect_uri):
        raise AppUnknownError
    target = Target(app, redirect_uri, query.redirect_uri, query.state)
    if repeated:
        raise send_back(target, ErrorCode.INVALID_REQUEST, "A parameter is given twice")
    return target


async def valid_authorization(
    target: Annotated[Target, Depends(valid_target)], query: Annotated[AuthorizationQuery, Query()]
) -> Authorization:
    """Raises SentBackError."""
    if query.response_type != "code":
        kind = ErrorCode.UNSUPPORTED_RESPONSE_TYPE if query.response_type else ErrorCode.INVALID_REQUEST
        raise send_back(target, kind, "response_type must be code")
    if query.code_challenge_method != "S256" or not _CHALLENGE.fullmatch(query.code_challenge):
        raise send_back(target, ErrorCode.INVALID_REQUEST, "PKCE is needed: code_challenge, by S256")
    scopes = frozenset(query.scope.split()) or target.app.scopes
    if not scopes <= target.app.scopes:
        raise send_back(target, ErrorCode.INVALID_SCOPE, "The app may not ask for all of this")
    return Authorization(target, scopes, query.code_challenge)


def send_back(target: Target, error: ErrorCode, description: str) -> SentBackError:
    parameters = {"error": error.value, "error_description": description}
    return SentBackError(build_location(target, load_config(PublicConfig).origin, parameters))


def send_code(target: Target, code: str) -> Response:
    return RedirectResponse(build_location(target, load_config(PublicConfig).origin, {"code": code}), SEE_OTHER)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody's browser, at the question of an app."""

    authorization: Authorization
    query: str = field(repr=False)
    login: BrowserLogin | None
    device: ThisDevice

    @property
    def target(self) -> Target:
        return self.authorization.target

    def show(self, page: Page) -> Response:
        response = page.to_response(form_target=build_form_target(self.target.redirect_uri))
        # So that a browser names the origin of the form, as it would not by the stricter policy of other pages.
        response.headers["Referrer-Policy"] = "same-origin"
        return response


async def parse_visit(
    request: Request,
    authorization: Annotated[Authorization, Depends(valid_authorization)],
    device: ThisDeviceDep,
    reader: ReaderDep,
    cookie: RefreshCookie = None,
) -> Visit:
    query = urlencode(request.query_params.multi_items())
    return Visit(authorization, query, await service.find_login(reader, cookie), device)


VisitDep = Annotated[Visit, Depends(parse_visit)]


async def open_page(request: Request, visit: VisitDep, session: SessionDep) -> Response:
    """What is asked first. Nothing, where all of it was allowed before."""
    if visit.login is None:
        if request.headers.get("sec-fetch-site") == "cross-site":
            return visit.show(build_bounce_page(visit.query))
        return visit.show(build_login_page(visit.target, visit.query))
    code = await service.repeat_consent(session, visit.authorization, visit.login)
    if code is not None:
        return send_code(visit.target, code)
    return visit.show(build_consent_page(visit.authorization, visit.query, visit.login.username))


@dataclass(frozen=True, slots=True)
class StepTools:
    """What a step takes beside the transaction."""

    login: LoginTools
    chain: RefreshChain
    codes: CodeTools
    address_key: str = field(repr=False)


async def get_step_tools(
    login: LoginToolsDep, chain: RefreshChainDep, codes: CodeToolsDep, address_key: AddressKeyDep
) -> StepTools:
    return StepTools(login, chain, codes, address_key)


async def take_step(
    request: Request,
    form: Annotated[StepForm, Form()],
    visit: VisitDep,
    tools: Annotated[StepTools, Depends(get_step_tools)],
    session: SessionDep,
) -> Response:
    """Only by a page of our own: the cookie alone allows nothing."""
    refuse_cross_site(request)
    if form.step is Step.DENY:
        raise send_back(visit.target, ErrorCode.ACCESS_DENIED, "The person does not allow it")
    if form.step is Step.CONTINUE:
        return RedirectResponse(f"{PATH}?{visit.query}", SEE_OTHER)
    if form.step is Step.LOG_IN:
        return await log_in(session, tools, visit, form)
    if form.step is Step.SHOW_CODE:
        return await show_code(session, tools, visit, form)
    if form.step is Step.SWITCH or visit.login is None:
        return visit.show(build_login_page(visit.target, visit.query))
    code = await service.allow(session, visit.authorization, visit.login, visit.device.info)
    if code is None:
        raise send_back(visit.target, ErrorCode.INVALID_SCOPE, "The app may not ask for all of this any more")
    return send_code(visit.target, code)


async def log_in(session: SessionDep, tools: StepTools, visit: Visit, form: StepForm) -> Response:
    password = form.password.get_secret_value() if form.password else ""
    attempt = PasswordLogin(form.username or "", password, visit.device, tools.address_key)
    try:
        checked = await logins.check_password_login(session, tools.login, attempt)
    except MfaRequiredError as error:
        response = visit.show(build_code_page(visit.query, error.asked))
        set_device_cookie(response, visit.device)
        return response
    except REFUSED as error:
        return visit.show(build_login_page(visit.target, visit.query, problem=error.title, status=FORBIDDEN))
    return await _let_in(session, tools, visit, checked)


async def show_code(session: SessionDep, tools: StepTools, visit: Visit, form: StepForm) -> Response:
    token = form.mfa_token.get_secret_value() if form.mfa_token else ""
    proof = tools.codes.parse_code(form.code.get_secret_value() if form.code else "")
    attempt = MfaLogin(token, proof, visit.device, tools.address_key)
    try:
        checked = await logins.check_mfa_login(session, tools.login, attempt)
    except SecondFactorRefusedError as error:
        asked = Asked(token, [Method.TOTP, Method.RECOVERY_CODE])
        return visit.show(build_code_page(visit.query, asked, problem=error.title, status=FORBIDDEN))
    except MfaTokenInvalidError:
        # Nothing of it may stay: the page is an answer like any other, and would commit.
        await session.rollback()
        return visit.show(build_login_page(visit.target, visit.query, problem=LATE, status=FORBIDDEN))
    return await _let_in(session, tools, visit, checked)


async def _let_in(session: SessionDep, tools: StepTools, visit: Visit, checked: CheckedLogin) -> Response:
    """Logged in, as on any page of ours; then the question."""
    opened = await logins.open_session(session, tools.login.reader, tools.chain, checked, visit.device)
    response = RedirectResponse(f"{PATH}?{visit.query}", SEE_OTHER)
    set_refresh_cookie(response, opened.refresh_token, opened.seconds_left)
    set_device_cookie(response, visit.device)
    return response


OpenedPageDep = Annotated[Response, Depends(open_page)]
StepAnswerDep = Annotated[Response, Depends(take_step)]
