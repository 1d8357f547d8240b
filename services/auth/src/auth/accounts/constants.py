from collections.abc import Mapping
from enum import StrEnum

EMAIL_MAX_LENGTH = 254
ADDRESS_LOCK = 4_826_010
"""First half of an advisory lock; the second is the hash of an address."""
ROLES_LOCK = 4_826_030
"""Advisory lock: of two who take the role of an admin from one another, one comes too late."""

TOLD_FIELDS = frozenset({"username", "first_name", "last_name", "language", "time_zone"})
"""Of a profile: what other services keep, and are told of when it changes."""


class Role(StrEnum):
    """Of our staff. What each may do is in the scope of its access tokens."""

    ADMIN = "admin"
    MODERATOR = "moderator"
    SUPPORT = "support"


SUPPORT_SCOPES = frozenset({"users:read", "sessions:end"})
MODERATOR_SCOPES = SUPPORT_SCOPES | {"users:ban", "creators:grant"}
ROLE_SCOPES: Mapping[str, frozenset[str]] = {
    Role.SUPPORT: SUPPORT_SCOPES,
    Role.MODERATOR: MODERATOR_SCOPES,
    Role.ADMIN: MODERATOR_SCOPES
    | {"users:delete", "audit:read", "roles:grant", "factors:reset", "clients:read", "clients:write"},
}


class NoticeKind(StrEnum):
    """What the owner of an account is told by mail."""

    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a kind
    EMAIL_CHANGED = "email_changed"
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    SECOND_FACTOR_FAILED = "second_factor_failed"
    SECOND_FACTORS_RESET = "second_factors_reset"
    PASSKEY_COPIED = "passkey_copied"
    RECOVERY_CODES_CREATED = "recovery_codes_created"
    RECOVERY_CODE_USED = "recovery_code_used"
    SESSION_REUSED = "session_reused"
    APP_ALLOWED = "app_allowed"
    SIGN_UP_REPEATED = "sign_up_repeated"
    ACCOUNT_BANNED = "account_banned"
    ACCOUNT_DELETED = "account_deleted"
    ACCOUNT_REMOVED = "account_removed"
    LOGIN_LOCKED = "login_locked"
