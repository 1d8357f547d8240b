from enum import StrEnum


class GrantType(StrEnum):
    PASSWORD = "password"  # noqa: S105 - a grant's name
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a grant's name
    CLIENT_CREDENTIALS = "client_credentials"
    MFA = "urn:broadsheet:params:oauth:grant-type:mfa"
    """After `password` was answered with `mfa_required`."""
    PASSKEY = "urn:broadsheet:params:oauth:grant-type:passkey"


class Delivery(StrEnum):
    """How a client gets its refresh token: as a cookie, or, for one that is no browser, in the body."""

    COOKIE = "cookie"
    BODY = "body"


REFRESH_COOKIE = "__Host-refresh_token"
"""The prefix makes browsers refuse it from other hosts, without Secure, and with any other path."""

SECRET_MAX_LENGTH = 512
TOKEN_MAX_LENGTH = 4096
SCOPE_MAX_LENGTH = 1000
