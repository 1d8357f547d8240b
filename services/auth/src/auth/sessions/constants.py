from datetime import timedelta
from enum import StrEnum

SESSION_LIFETIME = timedelta(days=30)
"""A session ends then, whatever is done."""
IDLE_LIFETIME = timedelta(days=14)
"""And earlier when it is not used for so long."""
REFRESH_GRACE = timedelta(seconds=10)
"""In this time a used refresh token is answered again: the first answer may have been lost, or two tabs asked."""

ENDED_KEPT = timedelta(days=1)
PRUNE_SESSIONS = 100  # each with up to 8,640 refresh tokens
MAX_SESSIONS = 100
"""Of one account at a time; a login beyond them ends the one that was used longest ago."""

SECOND_FACTOR_ACR = "aal2"
"""What a session must say where the account has a second factor."""

NAME_MAX_LENGTH = 100
USER_AGENT_MAX_LENGTH = 300
ADDRESS_MAX_LENGTH = 50

REVOCATION_KEPT = timedelta(hours=1)
REVOCATION_CHANNEL = "session_revoked"
"""Of PostgreSQL: wakes the background process, which tells all services."""


class EndReason(StrEnum):
    """Why a session ended; for the log and the audit."""

    LOGOUT = "logout"
    ENDED_BY_OWNER = "ended_by_owner"
    ENDED_BY_STAFF = "ended_by_staff"
    BANNED = "banned"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a reason
    REFRESH_REUSED = "refresh_reused"
    CODE_REUSED = "code_reused"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a reason
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ACCOUNT_DELETED = "account_deleted"
    TOO_MANY = "too_many"
