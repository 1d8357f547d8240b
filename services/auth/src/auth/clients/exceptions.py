"""Refusals that also carry the members of RFC 6749, section 5.2.

OAuthError
├── ClientInvalidError          401 invalid_client
├── ClientsManyError            400 invalid_request
├── ClientUnauthorizedError     400 unauthorized_client
├── ParameterRepeatedError      400 invalid_request
├── GrantInvalidError           400 invalid_grant
│   └── GrantReusedError
└── CrossSiteRefusedError       403 invalid_request
"""

from typing import Any, ClassVar

from chassis.problems import BadRequestError, ForbiddenError, ProblemError, UnauthorizedError


class OAuthError(ProblemError):
    error: ClassVar[str] = "invalid_request"

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {"error": self.error, "error_description": self.detail or self.title}


class ClientInvalidError(OAuthError, UnauthorizedError):
    error = "invalid_client"
    code = "client_invalid"
    title = "The client is not known, or its secret is wrong"

    def __init__(self) -> None:
        super().__init__(challenge='Basic realm="broadsheet"')


class ClientsManyError(OAuthError, BadRequestError):
    """RFC 6749, 2.3: no more than one way of authentication in a request."""

    code = "client_ambiguous"
    title = "The client identifies itself in two ways at once"


class ClientUnauthorizedError(OAuthError, BadRequestError):
    error = "unauthorized_client"
    code = "client_unauthorized"
    title = "This grant is for our own services alone"


class ParameterRepeatedError(OAuthError, BadRequestError):
    """RFC 6749, 3.1 and 3.2: two readers could take different ones."""

    code = "parameter_repeated"
    title = "A parameter is given twice"


class GrantInvalidError(OAuthError, BadRequestError):
    """Of a code or refresh token of an app: unknown, over, used, revoked, or of another client."""

    error = "invalid_grant"
    code = "grant_invalid"
    title = "The code or refresh token is not valid, or of another client"


class GrantReusedError(GrantInvalidError):
    """Told apart in the log only. The tokens that it ends must stay ended."""

    keeps_changes = True


class CrossSiteRefusedError(OAuthError, ForbiddenError):
    code = "cross_site_refused"
    title = "A page of another site may not use or set the session cookie"
