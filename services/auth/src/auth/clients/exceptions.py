"""Refusals that also carry the members of RFC 6749, section 5.2.

OAuthError
├── ClientInvalidError          401 invalid_client
└── CrossSiteRefusedError       403 invalid_request
"""

from typing import Any, ClassVar

from chassis.problems import ForbiddenError, ProblemError, UnauthorizedError


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


class CrossSiteRefusedError(OAuthError, ForbiddenError):
    code = "cross_site_refused"
    title = "A page of another site may not use or set the session cookie"
