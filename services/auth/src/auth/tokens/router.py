from fastapi import APIRouter, Response

from auth.clients.exceptions import ClientInvalidError, CrossSiteRefusedError
from auth.limits.exceptions import LimitedError
from auth.logins.exceptions import AccountBannedError, CredentialsInvalidError, LoginNotConfirmedError
from auth.passkeys.exceptions import PasskeyRefusedError
from auth.passwords.exceptions import HashingBusyError
from auth.tokens import service
from auth.tokens.dependencies import (
    GrantDep,
    OAuthRoute,
    SessionEndDep,
    TokenAnswer,
    TokenToolsDep,
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
        LimitedError,
        CrossSiteRefusedError,
        HashingBusyError,
    ),
)
async def create_token(response: Response, grant: GrantDep, tools: TokenToolsDep, session: SessionDep) -> TokenAnswer:
    """By password, by passkey, by refresh token (cookie or form) or, for services, by client credentials.

    The first three give a refresh token as well, in the cookie `__Host-refresh_token`. A client that is no browser asks
    for it in the body with `delivery=body`, and sends it back in the form field `refresh_token`.
    """
    return write_tokens(response, await service.issue_tokens(session, tools, grant))


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
