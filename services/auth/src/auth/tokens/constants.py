from datetime import timedelta
from enum import StrEnum


class GrantType(StrEnum):
    PASSWORD = "password"  # noqa: S105 - a grant's name
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a grant's name
    CLIENT_CREDENTIALS = "client_credentials"


class Delivery(StrEnum):
    """How a client gets its refresh token: as a cookie, or, for one that is no browser, in the body."""

    COOKIE = "cookie"
    BODY = "body"


ACCESS_TOKEN_LIFETIME = timedelta(minutes=5)
SESSION_LIFETIME = timedelta(days=30)
REFRESH_GRACE = timedelta(seconds=10)
"""In this time a used refresh token is answered again: the first answer may have been lost, or two tabs asked."""

REFRESH_COOKIE = "__Host-refresh_token"
"""The prefix makes browsers refuse it from other hosts, without Secure, and with any other path."""

SECRET_MAX_LENGTH = 512
SCOPE_MAX_LENGTH = 1000

ENDED_KEPT = timedelta(days=1)
PRUNE_SESSIONS = 100  # each with up to 8,640 refresh tokens
