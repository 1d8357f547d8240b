from collections.abc import Mapping
from enum import StrEnum
from typing import Final

PATH: Final = "authorize"
"""Relative to the page itself, so that it holds behind a gateway that strips a prefix."""
PARAMETER_MAX_LENGTH: Final = 2000

SCOPE_TEXTS: Final[Mapping[str, str]] = {
    "profile:read": "See your profile, with your e-mail address",
    "profile:write": "Change your profile",
    "posts:read": "See your posts, drafts too",
    "posts:write": "Write, change and publish posts for you",
    "reviews:write": "Review posts for you",
    "follows:write": "Follow creators for you",
    "notifications:read": "See your notifications",
    "notifications:write": "Mark your notifications as read",
}
"""What people are asked, for each scope that they can let an app have."""


class Step(StrEnum):
    """Which button of a page was pressed."""

    CONTINUE = "continue"
    LOG_IN = "log_in"
    SHOW_CODE = "show_code"
    SWITCH = "switch"
    ALLOW = "allow"
    DENY = "deny"


class ErrorCode(StrEnum):
    """RFC 6749, 4.1.2.1."""

    INVALID_REQUEST = "invalid_request"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    INVALID_SCOPE = "invalid_scope"
    ACCESS_DENIED = "access_denied"
