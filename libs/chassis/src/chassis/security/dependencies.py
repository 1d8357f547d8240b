"""What routes ask for. Each is one callable that is also its own OpenAPI scheme: a dependency less on every request."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer, OAuth2, OAuthFlowPassword, OAuthFlows
from fastapi.security.base import SecurityBase

from chassis.security.constants import ACR_LEVELS, FIRST_PARTY_CLIENT
from chassis.security.exceptions import InsufficientScopeError, LoginTooOldError, TokenMissingError
from chassis.security.schemas import JWTData, ServiceJWTData
from chassis.security.verifier import TokenVerifier

TOKEN_URL = "/api/v1/auth/token"  # noqa: S105 - where the docs page logs in, at the gateway
USER_SCHEME = "userToken"
SERVICE_SCHEME = "serviceToken"
GRANTED = "granted_scopes"
"""In `request.state`: what the route asks for and the token covers."""

OPTIONAL_TOKEN: dict[str, list[dict[str, list[str]]]] = {"security": [{USER_SCHEME: []}, {}]}
"""For `openapi_extra=` of routes that show more to whom they know, by `parse_optional_jwt_data`."""


class ParseJWTData(SecurityBase):
    """The person who calls, by an app of ours. 401 without a valid token of a person.

    An app of somebody else, which a person let do this or that, is let in only where the route says by
    `require_scope` what of it that is: whoever writes a route and thinks of no app has closed it to them.
    """

    def __init__(self) -> None:
        self.model = OAuth2(flows=OAuthFlows(password=OAuthFlowPassword(tokenUrl=TOKEN_URL)))
        self.scheme_name = USER_SCHEME

    async def __call__(self, request: Request) -> JWTData:
        token = read_bearer_token(request)
        if token is None:
            raise TokenMissingError
        data = await _get_verifier(request).verify_user_token(token)
        if not data.is_first_party and not data.scopes & getattr(request.state, GRANTED, frozenset()):
            raise InsufficientScopeError(FIRST_PARTY_CLIENT)
        return data


class RequireScope(ParseJWTData):
    """A person whose token covers the scope, by whatever app. 403 without it."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self._scope = scope

    async def __call__(self, request: Request) -> JWTData:
        token = read_bearer_token(request)
        if token is None:
            raise TokenMissingError
        data = await _get_verifier(request).verify_user_token(token)
        if self._scope not in data.scopes:
            raise InsufficientScopeError(self._scope)
        setattr(request.state, GRANTED, getattr(request.state, GRANTED, frozenset()) | {self._scope})
        return data


parse_jwt_data = ParseJWTData()
JWTDataDep = Annotated[JWTData, Depends(parse_jwt_data)]


class RequireRecentLogin:
    """A login not older than that, and of that strength (RFC 9470). 401 tells the client what to ask for."""

    def __init__(self, max_age: timedelta, acr: str | None) -> None:
        self._max_age = max_age
        self._acr = acr

    async def __call__(self, jwt_data: JWTDataDep) -> JWTData:
        is_old = datetime.now(UTC) - jwt_data.authenticated_at > self._max_age
        if is_old or not is_strong_enough(jwt_data.acr, self._acr):
            raise LoginTooOldError(self._max_age, self._acr)
        return jwt_data


def is_strong_enough(acr: str, wanted: str | None) -> bool:
    if wanted is None:
        return True
    return acr in ACR_LEVELS and ACR_LEVELS.index(acr) >= ACR_LEVELS.index(wanted)


class ParseServiceJWTData(SecurityBase):
    """The service that calls. 401 without a valid token of a service, 403 when its scopes do not hold the one asked."""

    def __init__(self, scope: str) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="A token of a service, by client credentials.")
        self.scheme_name = SERVICE_SCHEME
        self._scope = scope

    async def __call__(self, request: Request) -> ServiceJWTData:
        token = read_bearer_token(request)
        if token is None:
            raise TokenMissingError
        data = await _get_verifier(request).verify_service_token(token)
        if self._scope not in data.scopes:
            raise InsufficientScopeError(self._scope)
        return data


async def parse_optional_jwt_data(request: Request) -> JWTData | None:
    """None for a caller without a token. A token that is not valid is a 401 here too, not a silent stranger."""
    return None if read_bearer_token(request) is None else await parse_jwt_data(request)


@lru_cache(maxsize=64)
def allow_scope(scope: str) -> Callable[[Request], Awaitable[JWTData | None]]:
    """As `parse_optional_jwt_data`, for a route that apps of others may use as well, with a token that covers this."""

    async def parse_allowed_jwt_data(request: Request) -> JWTData | None:
        token = read_bearer_token(request)
        if token is None:
            return None
        data = await _get_verifier(request).verify_user_token(token)
        if not data.is_first_party and scope not in data.scopes:
            raise InsufficientScopeError(scope)
        return data

    return parse_allowed_jwt_data


@lru_cache(maxsize=64)
def require_scope(scope: str) -> RequireScope:
    """For `dependencies=[...]` of a route, where it runs before everything that asks who calls."""
    return RequireScope(scope)


@lru_cache(maxsize=64)
def require_recent_login(max_age: timedelta, acr: str | None = None) -> RequireRecentLogin:
    return RequireRecentLogin(max_age, acr)


@lru_cache(maxsize=64)
def require_service_scope(scope: str) -> ParseServiceJWTData:
    """The same object for the same scope, so that FastAPI runs it once in a request."""
    return ParseServiceJWTData(scope)


OptionalJWTDataDep = Annotated[JWTData | None, Depends(parse_optional_jwt_data)]


def read_bearer_token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _get_verifier(request: Request) -> TokenVerifier:
    return cast("TokenVerifier", request.app.state.token_verifier)
