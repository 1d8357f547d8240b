from fastapi import APIRouter, Response

from auth.clients.exceptions import ClientInvalidError, CrossSiteRefusedError
from auth.limits.exceptions import LimitedError
from auth.logins.exceptions import (
    AccountBannedError,
    CredentialsInvalidError,
    LoginNotConfirmedError,
    MfaRequiredError,
    MfaTokenInvalidError,
    SecondFactorRefusedError,
)
from auth.passkeys.exceptions import PasskeyRefusedError
from auth.passwords.exceptions import HashingBusyError
from auth.tokens import service
from auth.tokens.dependencies import (
    IssuedTokensDep,
    OAuthRoute,
    SessionEndDep,
    TokenAnswer,
    set_refresh_cookie,
    write_tokens,
)
from auth.tokens.exceptions import (
    GrantTypeUnsupportedError,
    RefreshTokenInvalidError,
    ScopeInvalidError,
    TokenRequestInvalidError,
)
from chassis.database.dependencies import SessionDep
from chassis.problems import problem_responses
from chassis.security.exceptions import TokenExpiredError, TokenInvalidError

router = APIRouter(prefix="/auth", tags=["tokens"], route_class=OAuthRoute)


@router.post(
    "/token",
    status_code=200,
    summary="Get an access token",
    responses=problem_responses(
        TokenRequestInvalidError,
        GrantTypeUnsupportedError,
        ScopeInvalidError,
        CredentialsInvalidError,
        PasskeyRefusedError,
        RefreshTokenInvalidError,
        ClientInvalidError,
        LoginNotConfirmedError,
        AccountBannedError,
        MfaRequiredError,
        MfaTokenInvalidError,
        SecondFactorRefusedError,
        LimitedError,
        CrossSiteRefusedError,
        HashingBusyError,
    ),
)
async def create_token(response: Response, issued: IssuedTokensDep) -> TokenAnswer:
    """By password, by passkey, by refresh token (cookie or form) or, for services, by client credentials.

    The first three give a refresh token as well, in the cookie `__Host-refresh_token`. A client that is no browser asks
    for it in the body with `delivery=body`, and sends it back in the form field `refresh_token`.

    Where the account has a second factor, the right password is answered with `mfa_required`, an `mfa_token` and the
    `methods` there are. For five minutes and on the same device (its cookie or, with `delivery=body`, the
    `device_token` that comes along), the grant `urn:broadsheet:params:oauth:grant-type:mfa` with `mfa_token` and
    `code`, or the `assertion` of a passkey, is the login.
    """
    return write_tokens(response, issued)


@router.post(
    "/logout",
    status_code=204,
    summary="Log out",
    responses=problem_responses(CrossSiteRefusedError, TokenInvalidError, TokenExpiredError),
)
async def delete_session(response: Response, end: SessionEndDep, session: SessionDep) -> None:
    """Ends the session of the cookie, and that of the access token. Doing it again changes nothing."""
    set_refresh_cookie(response, "", 0)
    await service.end_session(session, session_id=end.session_id, refresh_token=end.refresh_token)
