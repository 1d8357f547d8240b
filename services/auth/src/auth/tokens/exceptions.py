"""What `POST /auth/token` refuses: problems that also carry the members of RFC 6749, section 5.2.

OAuthError
├── TokenRequestInvalidError    400 invalid_request
├── GrantTypeUnsupportedError   400 unsupported_grant_type
├── ScopeInvalidError           400 invalid_scope
└── RefreshTokenInvalidError    401 invalid_grant
    └── RefreshTokenReusedError
"""

from auth.clients.exceptions import OAuthError
from chassis.problems import BadRequestError, UnauthorizedError


class TokenRequestInvalidError(OAuthError, BadRequestError):
    code = "token_request_invalid"
    title = "The token request is incomplete or malformed"


class GrantTypeUnsupportedError(OAuthError, BadRequestError):
    error = "unsupported_grant_type"
    code = "grant_type_unsupported"
    title = "This grant type is not known here"


class ScopeInvalidError(OAuthError, BadRequestError):
    error = "invalid_scope"
    code = "scope_invalid"
    title = "The client was not granted all that it asks for"


class RefreshTokenInvalidError(OAuthError, UnauthorizedError):
    """401, where RFC 6749 has 400: what to do is to log in, as after any other 401."""

    error = "invalid_grant"
    code = "refresh_token_invalid"
    title = "The session has ended; log in again"


class RefreshTokenReusedError(RefreshTokenInvalidError):
    """Told apart in the log only. The session that it ends must stay ended."""

    keeps_changes = True
