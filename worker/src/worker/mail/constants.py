"""Limits of one mail, in seconds. The hard limit ends below the lease of 120, so that no zombie outlives it."""

from typing import Final

SOFT_TIME_LIMIT: Final = 45
TIME_LIMIT: Final = 60
