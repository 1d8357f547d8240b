from datetime import timedelta
from enum import StrEnum
from typing import Final


class Method(StrEnum):
    """By what a second factor is proved."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


NAME_MAX_LENGTH: Final = 100
MAX_FACTORS: Final = 20

CHALLENGE_LIFETIME = timedelta(minutes=5)
"""So long after the password the second factor may come."""
CHALLENGE_TOKEN_MAX_LENGTH: Final = 64
PRUNE_CHALLENGES: Final = 1000

RECOVERY_CODES: Final = 10
RECOVERY_CODE_LENGTH: Final = 24
"""120 bits: enough that a keyed digest at rest needs no slow hash (ASVS 5.0, 6.5.2)."""
RECOVERY_CODE_GROUP: Final = 6
RECOVERY_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that could be taken for a digit."""
CODE_MAX_LENGTH: Final = 64

RECENT = timedelta(minutes=10)
"""A login must not be older to change second factors."""
