from datetime import timedelta
from enum import StrEnum


class KeyState(StrEnum):
    """A key is published before it signs, and after it has: verifiers keep the list for a while.

    There is always one of the first two each, so that a key which leaked can be replaced by one that is known already.
    """

    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"


NEXT_LEAST_AGE = timedelta(seconds=20)
"""For tests. Services look for a key that they do not know at most every ten seconds, in a list of five seconds ago."""
RETIRED_KEPT = timedelta(minutes=10)
"""How long a retired key still verifies: longer than a token lives, and than anybody caches the list."""

RELOAD_SECONDS = 10.0
"""Age at which the keys in memory are read again."""
UNKNOWN_RELOAD_SECONDS = 5.0
"""Between two looks for a key that is not in memory, whatever key ids are invented."""

JWKS_MAX_AGE_SECONDS = 60
KEYS_LOCK = 4_826_003
"""Advisory lock: of all that make, rotate or withdraw keys at once, one after the other."""
ROTATION_CHECK_SECONDS = 10.0

ACCESS_TOKEN_SECONDS = 300
"""How long an access token lives."""
