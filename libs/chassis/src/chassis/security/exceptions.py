"""Why a caller is not let in, with the challenge that RFC 6750 wants.

UnauthorizedError (401)
├── TokenMissingError
├── TokenInvalidError
├── TokenExpiredError
├── TokenRevokedError
└── LoginTooOldError
ForbiddenError (403)
└── InsufficientScopeError
"""

from datetime import timedelta
from typing import Final

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


class TokenRevokedError(UnauthorizedError):
    """Its session ended: by a logout, a ban, a new password."""

    code = "token_revoked"
    title = "The session has ended; log in again"

    def __init__(self) -> None:
        super().__init__(challenge='Bearer error="invalid_token", error_description="The session has ended"')


class LoginTooOldError(UnauthorizedError):
    """RFC 9470: the same token would do after a fresh, or a stronger, login."""

    code = "login_too_old"
    title = "This needs a login that is fresh, or with a second factor"

    def __init__(self, max_age: timedelta, acr: str | None = None) -> None:
        challenge = (
            'Bearer error="insufficient_user_authentication", '
            f'error_description="A fresh or stronger login is needed", max_age="{int(max_age.total_seconds())}"'
        )
        super().__init__(challenge=challenge if acr is None else f'{challenge}, acr_values="{acr}"')


class InsufficientScopeError(ForbiddenError):
    code = "insufficient_scope"
    title = "The access token does not cover this"

    def __init__(self, scope: str) -> None:
        super().__init__(headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'})


TOKEN_ERRORS: Final = (
    TokenMissingError,
    TokenInvalidError,
    TokenExpiredError,
    TokenRevokedError,
    InsufficientScopeError,
)
"""What a route that wants a token declares. The last also meets an app of somebody else where no scope is named."""
