"""What `POST /auth/token` refuses: problems that also carry the members of RFC 6749, section 5.2.

OAuthError
├── TokenRequestInvalidError    400 invalid_request
├── GrantTypeUnsupportedError   400 unsupported_grant_type
├── ScopeInvalidError           400 invalid_scope
├── CredentialsInvalidError     401 invalid_grant
├── RefreshTokenInvalidError    401 invalid_grant
│   └── RefreshTokenReusedError
├── ClientInvalidError          401 invalid_client
├── LoginNotConfirmedError      403 invalid_grant
└── CrossSiteRefusedError       403 invalid_request
"""

from typing import Any, ClassVar

from auth.profiles.exceptions import EmailNotConfirmedError
from chassis.problems import BadRequestError, ForbiddenError, ProblemError, UnauthorizedError


class OAuthError(ProblemError):
    error: ClassVar[str] = "invalid_request"

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {"error": self.error, "error_description": self.detail or self.title}


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


class CredentialsInvalidError(OAuthError, UnauthorizedError):
    """The same for a wrong password and an unknown address."""

    error = "invalid_grant"
    code = "credentials_invalid"
    title = "The e-mail address or the password is wrong"


class RefreshTokenInvalidError(OAuthError, UnauthorizedError):
    """401, where RFC 6749 has 400: what to do is to log in, as after any other 401."""

    error = "invalid_grant"
    code = "refresh_token_invalid"
    title = "The session has ended; log in again"


class RefreshTokenReusedError(RefreshTokenInvalidError):
    """Told apart in the log only. The session that it ends must stay ended."""

    keeps_changes = True


class ClientInvalidError(OAuthError, UnauthorizedError):
    error = "invalid_client"
    code = "client_invalid"
    title = "The client is not known, or its secret is wrong"

    def __init__(self) -> None:
        super().__init__(challenge='Basic realm="broadsheet"')


class LoginNotConfirmedError(OAuthError, EmailNotConfirmedError):
    error = "invalid_grant"


class CrossSiteRefusedError(OAuthError, ForbiddenError):
    code = "cross_site_refused"
    title = "A page of another site may not use or set the session cookie"
