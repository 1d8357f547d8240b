"""What cannot be asked about, or given up.

OAuthError
├── TokenTypeUnsupportedError   400 unsupported_token_type
└── TokenForeignError           400 invalid_grant
"""

from auth.clients.exceptions import OAuthError
from chassis.problems import BadRequestError


class TokenTypeUnsupportedError(OAuthError, BadRequestError):
    """RFC 7009, 2.2.1."""

    error = "unsupported_token_type"
    code = "token_type_unsupported"
    title = "The tokens of a service cannot be revoked; they end within five minutes"


class TokenForeignError(OAuthError, BadRequestError):
    """RFC 7009, 2.1: refused, and told."""

    error = "invalid_grant"
    code = "token_foreign"
    title = "The token was issued to another client"
