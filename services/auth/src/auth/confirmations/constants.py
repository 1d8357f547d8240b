from datetime import timedelta

CONFIRMATION_LIFETIME = timedelta(hours=24)
# Base64url of 32 bytes.
TOKEN_PATTERN = "^[A-Za-z0-9_-]{43}$"  # noqa: S105 - a pattern
TOKEN_MAX_LENGTH = 200
PRUNE_CONFIRMATIONS = 1000
