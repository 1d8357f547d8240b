from enum import StrEnum

CHAIN_LOCK = 4_826_020
"""Advisory lock: of several background processes one links at a time."""
CHAIN_BATCH = 500
CHAIN_SECONDS = 2.0
GENESIS = b"\0" * 32
"""What the first link hangs on."""
VERIFY_BATCH = 5_000
DETAIL_MAX_LENGTH = 500


class AuditAction(StrEnum):
    """What is recorded. Each is in the past tense: it happened."""

    USER_REGISTERED = "user_registered"
    USER_CONFIRMED = "user_confirmed"
    LOGIN_SUCCEEDED = "login_succeeded"
    LOGIN_FAILED = "login_failed"
    LOGIN_LOCKED = "login_locked"
    STEP_UP_SUCCEEDED = "step_up_succeeded"
    SESSION_ENDED = "session_ended"
    SESSION_REUSED = "session_reused"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an action
    PASSWORD_RESET = "password_reset"  # noqa: S105 - an action
    EMAIL_CHANGED = "email_changed"
    USERNAME_CHANGED = "username_changed"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_ASKED = "factor_asked"
    """The password was right; what follows shows whether the second factor was, too."""
    FACTOR_REFUSED = "factor_refused"
    FACTORS_RESET = "factors_reset"
    PASSKEY_COPIED = "passkey_copied"
    RECOVERY_CODES_CREATED = "recovery_codes_created"
    RECOVERY_CODE_USED = "recovery_code_used"
    USER_BANNED = "user_banned"
    USER_UNBANNED = "user_unbanned"
    CREATOR_GRANTED = "creator_granted"
    ROLES_CHANGED = "roles_changed"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CODE_REUSED = "code_reused"
    CLIENT_CREATED = "client_created"
    CLIENT_UPDATED = "client_updated"
    CLIENT_SECRET_RENEWED = "client_secret_renewed"  # noqa: S105 - an action
    CLIENT_DELETED = "client_deleted"
    KEY_ROTATED = "key_rotated"
    KEY_WITHDRAWN = "key_withdrawn"
    EXPORT_REQUESTED = "export_requested"
    ACCOUNT_DELETED = "account_deleted"
