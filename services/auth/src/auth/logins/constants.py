from enum import StrEnum
from typing import Final
from uuid import UUID


class Acr(StrEnum):
    """How strongly a login was proved (RFC 9470): by one factor, or by two."""

    ONE_FACTOR = "aal1"
    TWO_FACTORS = "aal2"


NOBODY: Final = UUID(int=0)
"""Stands for the owner of an address that nobody has."""
PASSWORD_AMR: Final = ("pwd",)
MFA_AMR: Final = "mfa"
"""RFC 8176: more than one factor."""
