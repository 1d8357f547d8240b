"""What routes ask for. Each is one callable that is also its own OpenAPI scheme: a dependency less on every request."""

from functools import lru_cache
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer, OAuth2, OAuthFlowPassword, OAuthFlows
from fastapi.security.base import SecurityBase

from chassis.security.exceptions import InsufficientScopeError, TokenMissingError
from chassis.security.schemas import JWTData, ServiceJWTData
from chassis.security.verifier import TokenVerifier

TOKEN_URL = "/api/v1/auth/token"  # noqa: S105 - where the docs page logs in, at the gateway
USER_SCHEME = "userToken"
SERVICE_SCHEME = "serviceToken"

OPTIONAL_TOKEN: dict[str, list[dict[str, list[str]]]] = {"security": [{USER_SCHEME: []}, {}]}
"""For `openapi_extra=` of routes that show more to whom they know, by `parse_optional_jwt_data`."""


class ParseJWTData(SecurityBase):
    """The person who calls. 401 without a valid token of a person."""

    def __init__(self) -> None:
        self.model = OAuth2(flows=OAuthFlows(password=OAuthFlowPassword(tokenUrl=TOKEN_URL)))
        self.scheme_name = USER_SCHEME

    async def __call__(self, request: Request) -> JWTData:
        token = read_bearer_token(request)
        if token is None:
            raise TokenMissingError
        return await _get_verifier(request).verify_user_token(token)


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


parse_jwt_data = ParseJWTData()


async def parse_optional_jwt_data(request: Request) -> JWTData | None:
    """None for a caller without a token. A token that is not valid is a 401 here too, not a silent stranger."""
    token = read_bearer_token(request)
    return None if token is None else await _get_verifier(request).verify_user_token(token)


@lru_cache(maxsize=64)
def require_service_scope(scope: str) -> ParseServiceJWTData:
    """The same object for the same scope, so that FastAPI runs it once in a request."""
    return ParseServiceJWTData(scope)


JWTDataDep = Annotated[JWTData, Depends(parse_jwt_data)]
OptionalJWTDataDep = Annotated[JWTData | None, Depends(parse_optional_jwt_data)]


def read_bearer_token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _get_verifier(request: Request) -> TokenVerifier:
    return cast("TokenVerifier", request.app.state.token_verifier)
