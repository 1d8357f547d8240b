from enum import StrEnum
from typing import Final


class Acr(StrEnum):
    """How strongly a login was proved (RFC 9470): by one factor, or by two."""

    ONE_FACTOR = "aal1"
    TWO_FACTORS = "aal2"


PASSWORD_AMR: Final = ("pwd",)
MFA_AMR: Final = "mfa"
"""RFC 8176: more than one factor."""
