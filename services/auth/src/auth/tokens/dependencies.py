from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import Cookie, Depends, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from auth.clients.exceptions import ClientInvalidError, CrossSiteRefusedError, OAuthError
from auth.clients.utils import ClientCredentials, check_client_id, read_client_credentials
from auth.codes.service import Redemption
from auth.config import PublicConfig
from auth.devices.dependencies import (
    DeviceCookie,
    DeviceSignerDep,
    build_device_cookie,
    identify_device,
    set_device_cookie,
)
from auth.devices.service import ThisDevice
from auth.keys.dependencies import TokenIssuerDep
from auth.limits.dependencies import AddressKeyDep
from auth.logins.dependencies import LoginToolsDep
from auth.logins.exceptions import MfaRequiredError
from auth.logins.service import MfaLogin, PasswordLogin
from auth.mfa.schemas import Proof
from auth.passkeys.dependencies import RelyingPartyDep
from auth.passkeys.schemas import AssertionInput
from auth.passkeys.service import PasskeyLogin, PasskeyProof
from auth.passkeys.utils import RelyingParty
from auth.sessions.dependencies import DeviceInfoDep, RefreshChainDep
from auth.tokens import service
from auth.tokens.constants import REFRESH_COOKIE, SECRET_MAX_LENGTH, Delivery, GrantType
from auth.tokens.exceptions import GrantTypeUnsupportedError, RefreshTokenInvalidError, TokenRequestInvalidError
from auth.tokens.schemas import IssuedTokens, LoginTokenRead, RefreshableTokenRead, TokenForm, TokenRead
from auth.tokens.service import (
    ClientGrant,
    CodeGrant,
    Grant,
    MfaGrant,
    PasskeyGrant,
    PasswordGrant,
    RefreshGrant,
    TokenTools,
)
from auth.totp.dependencies import CodeToolsDep
from auth.totp.service import CodeTools
from chassis.config import load_config
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import TransactionalRoute
from chassis.problems import ProblemError, UnauthorizedError
from chassis.security.constants import FIRST_PARTY_CLIENT
from chassis.security.dependencies import parse_optional_jwt_data

SERVER_ERROR = 500
OAUTH_TYPE = {"Content-Type": "application/json"}

TokenAnswer = LoginTokenRead | RefreshableTokenRead | TokenRead

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

RefreshCookie = Annotated[
    str | None,
    Cookie(alias=REFRESH_COOKIE, max_length=SECRET_MAX_LENGTH, description="Set by an earlier answer of this route."),
]


class OAuthRoute(TransactionalRoute):
    """Every refusal carries the members of RFC 6749, also those that know nothing of it, and is of its media type."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_as_oauth(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                fields = ", ".join(dict.fromkeys(str(item["loc"][-1]) for item in error.errors()))
                raise TokenRequestInvalidError(f"Missing or malformed: {fields}", headers=OAUTH_TYPE) from error
            except ProblemError as error:
                error.headers |= OAUTH_TYPE
                if not isinstance(error, OAuthError):
                    name = "invalid_request" if error.status < SERVER_ERROR else "temporarily_unavailable"
                    error.extra |= {"error": name, "error_description": error.title}
                raise

        return handle_as_oauth


async def get_token_tools(
    reader: ReaderDep,
    login: LoginToolsDep,
    issuer: TokenIssuerDep,
    chain: RefreshChainDep,
    device: DeviceInfoDep,
    address_key: AddressKeyDep,
) -> TokenTools:
    """Raises SigningKeyMissingError."""
    return TokenTools(reader, login, issuer, chain, device, address_key)


async def parse_token_device(
    form: Annotated[TokenForm, Form()], signer: DeviceSignerDep, info: DeviceInfoDep, cookie: DeviceCookie = None
) -> ThisDevice:
    """By the form field or the cookie."""
    return identify_device(signer, info, form.device_token.get_secret_value() if form.device_token else cookie)


async def parse_grant(
    request: Request,
    form: Annotated[TokenForm, Form()],
    device: Annotated[ThisDevice, Depends(parse_token_device)],
    address_key: AddressKeyDep,
    codes: CodeToolsDep,
    rp: RelyingPartyDep,
    cookie: RefreshCookie = None,
) -> Grant:
    """What is asked for, complete; wherever a cookie is used or set, not by a page of another site."""
    if form.grant_type == GrantType.PASSWORD:
        return _parse_password_grant(request, form, device, address_key)
    if form.grant_type == GrantType.MFA:
        proof = _parse_proof(form, codes, rp)
        return _parse_mfa_grant(request, form, proof, device, address_key)
    if form.grant_type == GrantType.PASSKEY:
        return _parse_passkey_grant(request, form, rp, device, address_key)
    if form.grant_type == GrantType.REFRESH_TOKEN:
        return _parse_refresh_grant(request, form, cookie)
    if form.grant_type == GrantType.AUTHORIZATION_CODE:
        return _parse_code_grant(request, form)
    if form.grant_type == GrantType.CLIENT_CREDENTIALS:
        return _parse_client_grant(request, form)
    raise GrantTypeUnsupportedError


def _parse_password_grant(request: Request, form: TokenForm, device: ThisDevice, address_key: str) -> PasswordGrant:
    if form.username is None or form.password is None:
        raise TokenRequestInvalidError("The grant `password` needs username and password.")
    if form.delivery is Delivery.COOKIE:
        refuse_cross_site(request)
    login = PasswordLogin(form.username, form.password.get_secret_value(), device, address_key)
    return PasswordGrant(login, form.delivery)


def _parse_proof(form: TokenForm, codes: CodeTools, rp: RelyingParty) -> Proof:
    if form.assertion is not None:
        return PasskeyProof(rp, parse_assertion(form.assertion))
    if form.code is None:
        raise TokenRequestInvalidError("This grant needs a code or an assertion.")
    return codes.parse_code(form.code.get_secret_value())


def _parse_mfa_grant(request: Request, form: TokenForm, proof: Proof, device: ThisDevice, address_key: str) -> MfaGrant:
    if form.mfa_token is None:
        raise TokenRequestInvalidError("This grant needs mfa_token.")
    if form.delivery is Delivery.COOKIE:
        refuse_cross_site(request)
    return MfaGrant(MfaLogin(form.mfa_token.get_secret_value(), proof, device, address_key), form.delivery)


def _parse_passkey_grant(
    request: Request, form: TokenForm, rp: RelyingParty, device: ThisDevice, address_key: str
) -> PasskeyGrant:
    if form.assertion is None:
        raise TokenRequestInvalidError("This grant needs an assertion.")
    if form.delivery is Delivery.COOKIE:
        refuse_cross_site(request)
    login = PasskeyLogin(parse_assertion(form.assertion), rp, device, address_key)
    return PasskeyGrant(login, form.delivery)


def parse_assertion(text: str) -> AssertionInput:
    try:
        return AssertionInput.model_validate_json(text)
    except ValidationError as error:
        raise TokenRequestInvalidError("The assertion is not what a browser makes of one.") from error


def _parse_refresh_grant(request: Request, form: TokenForm, cookie: str | None) -> RefreshGrant:
    client = _read_client(request, form)
    if client is not None and client.client_id != FIRST_PARTY_CLIENT:
        if form.refresh_token is None:
            raise TokenRequestInvalidError("An app sends its refresh token in the form.")
        return RefreshGrant(form.refresh_token.get_secret_value(), Delivery.BODY, form.scopes, client)
    if form.refresh_token is not None:
        return RefreshGrant(form.refresh_token.get_secret_value(), Delivery.BODY)
    if cookie is None:
        raise RefreshTokenInvalidError("There is no refresh token in the request.")
    refuse_cross_site(request)
    return RefreshGrant(cookie, Delivery.COOKIE)


def _parse_code_grant(request: Request, form: TokenForm) -> CodeGrant:
    client = _read_client(request, form)
    if client is None:
        raise ClientInvalidError
    if form.code is None or form.code_verifier is None:
        raise TokenRequestInvalidError("This grant needs code and code_verifier.")
    return CodeGrant(client, Redemption(form.code.get_secret_value(), form.code_verifier, form.redirect_uri))


def _parse_client_grant(request: Request, form: TokenForm) -> ClientGrant:
    client = _read_client(request, form)
    if client is None or client.secret is None:
        raise ClientInvalidError
    return ClientGrant(check_client_id(client.client_id), client.secret, form.scopes)


def _read_client(request: Request, form: TokenForm) -> ClientCredentials | None:
    secret = None if form.client_secret is None else form.client_secret.get_secret_value()
    return read_client_credentials(request.headers.get("authorization", ""), form.client_id, secret)


def refuse_cross_site(request: Request) -> None:
    """Against CSRF, where a browser would add the cookie, or keep one that a stranger's form got it.

    Browsers say where a request comes from: all of today's in Sec-Fetch-Site, older ones in Origin. What says
    nothing is no browser, and has no cookies that it did not mean to send.
    """
    site = request.headers.get("sec-fetch-site")
    if site is None:
        own = load_config(PublicConfig).origin
        is_own = request.headers.get("origin", own) == own
    else:
        is_own = site == "same-origin"
    if not is_own:
        raise CrossSiteRefusedError


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """Whose session is to end: that of an access token, of a refresh token, or nobody's."""

    session_id: UUID | None
    refresh_token: str | None = field(repr=False)


async def parse_session_end(request: Request, cookie: RefreshCookie = None) -> SessionEnd:
    """The cookie is enough: an access token that has expired meanwhile does not keep anybody from logging out."""
    if cookie is not None:
        refuse_cross_site(request)
    try:
        jwt_data = await parse_optional_jwt_data(request)
    except UnauthorizedError:
        if cookie is None:
            raise
        jwt_data = None
    return SessionEnd(None if jwt_data is None else jwt_data.session_id, cookie)


async def issue_tokens(
    grant: Annotated[Grant, Depends(parse_grant)],
    tools: Annotated[TokenTools, Depends(get_token_tools)],
    session: SessionDep,
) -> IssuedTokens:
    """A device that is asked for a second factor is told what it is known by, the same way as its tokens will go."""
    try:
        return await service.issue_tokens(session, tools, grant)
    except MfaRequiredError as error:
        if isinstance(grant, PasswordGrant) and grant.delivery is Delivery.BODY:
            error.extra |= {"device_token": error.device.token}
        else:
            error.headers |= build_device_cookie(error.device)
        raise


def write_tokens(response: Response, issued: IssuedTokens) -> TokenAnswer:
    """The answer to a grant: the refresh token in its cookie or in the body, never in both."""
    response.headers["Pragma"] = "no-cache"  # RFC 6749, 5.1, beside the Cache-Control of all answers
    values = {
        "access_token": issued.access_token,
        "token_type": "bearer",
        "expires_in": issued.expires_in,
        "scope": issued.scope,
    }
    if issued.refresh_token is None:
        return TokenRead.model_validate(values)
    if issued.delivery is Delivery.BODY:
        values |= {"refresh_token": issued.refresh_token}
        if issued.device is None:
            return RefreshableTokenRead.model_validate(values)
        return LoginTokenRead.model_validate({**values, "device_token": issued.device.token})
    if issued.device is not None:
        set_device_cookie(response, issued.device)
    set_refresh_cookie(response, issued.refresh_token, issued.refresh_seconds)
    return TokenRead.model_validate(values)


def set_refresh_cookie(response: Response, token: str, seconds: int) -> None:
    """With zero seconds the browser forgets it."""
    response.set_cookie(REFRESH_COOKIE, token, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")


IssuedTokensDep = Annotated[IssuedTokens, Depends(issue_tokens)]
SessionEndDep = Annotated[SessionEnd, Depends(parse_session_end)]
