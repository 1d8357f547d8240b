from datetime import timedelta
from enum import StrEnum


class KeyState(StrEnum):
    """A key is published before it signs, and after it has: verifiers keep the list for a while."""

    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"


RETIRED_KEPT = timedelta(minutes=10)
"""How long a retired key still verifies: longer than a token lives, and than anybody caches the list."""

RELOAD_SECONDS = 60.0
"""Age at which the keys in memory are read again."""
UNKNOWN_RELOAD_SECONDS = 5.0
"""Between two looks for a key that is not in memory, whatever key ids are invented."""

JWKS_MAX_AGE_SECONDS = 60
SEED_LOCK = 4_826_003
"""Advisory lock: one of several migrations that start at once makes the first key."""

ACCESS_TOKEN_SECONDS = 300
"""How long an access token lives."""
