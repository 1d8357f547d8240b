from datetime import timedelta
from enum import StrEnum
from typing import Final


class Acr(StrEnum):
    """How strongly a login was proved (RFC 9470): by one factor, or by two."""

    ONE_FACTOR = "aal1"
    TWO_FACTORS = "aal2"


PASSWORD_AMR: Final = ("pwd",)
MFA_AMR: Final = "mfa"
"""RFC 8176: more than one factor."""

TELL_SECONDS: Final = 5.0
LOCK_KEPT = timedelta(days=1)
"""So long an owner is not told again."""
TELL_BATCH: Final = 100
