from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Purpose(StrEnum):
    """What following the link of a mail leads to."""

    SIGN_UP = "sign_up"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a purpose
    EMAIL_CHANGE_OLD = "email_change_old"
    EMAIL_CHANGE_NEW = "email_change_new"


LIFETIMES: Mapping[Purpose, timedelta] = {
    Purpose.SIGN_UP: timedelta(hours=24),
    Purpose.PASSWORD_RESET: timedelta(minutes=30),
    Purpose.EMAIL_CHANGE_OLD: timedelta(hours=1),
    Purpose.EMAIL_CHANGE_NEW: timedelta(hours=1),
}
KEPT = timedelta(hours=24)
# Base64url of 32 bytes.
TOKEN_PATTERN = "^[A-Za-z0-9_-]{43}$"  # noqa: S105 - a pattern
TOKEN_MAX_LENGTH = 200
PRUNE_CONFIRMATIONS = 1000
