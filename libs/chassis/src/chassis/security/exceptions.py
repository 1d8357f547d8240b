"""Why a caller is not let in, with the challenge that RFC 6750 wants.

UnauthorizedError (401)
├── TokenMissingError
├── TokenInvalidError
└── TokenExpiredError
ForbiddenError (403)
└── InsufficientScopeError
"""

from chassis.problems import ForbiddenError, UnauthorizedError


class TokenMissingError(UnauthorizedError):
    code = "token_missing"
    title = "An access token is needed"

    def __init__(self) -> None:
        # RFC 6750, section 3.1: no error code for a request that brought no token.
        super().__init__(challenge="Bearer")


class TokenInvalidError(UnauthorizedError):
    """Which check failed is not told: it would guide a forger, and an honest client can only fetch a new token."""

    code = "token_invalid"
    title = "The access token is not valid"

    def __init__(self) -> None:
        super().__init__(challenge='Bearer error="invalid_token", error_description="The access token is not valid"')


class TokenExpiredError(UnauthorizedError):
    code = "token_expired"
    title = "The access token has expired"

    def __init__(self) -> None:
        super().__init__(challenge='Bearer error="invalid_token", error_description="The access token has expired"')


class InsufficientScopeError(ForbiddenError):
    code = "insufficient_scope"
    title = "The access token does not cover this"

    def __init__(self, scope: str) -> None:
        super().__init__(headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'})
