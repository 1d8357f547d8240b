from datetime import timedelta
from typing import Final

TOTP_DIGITS: Final = 6
TOTP_WINDOW: Final = 1
"""Steps of 30 seconds before and after the present one: clocks differ, and people type slowly."""
ENROLMENT_LIFETIME = timedelta(minutes=15)
"""So long a secret that was shown waits for its first code."""
PRUNE_ENROLMENTS: Final = 1000
QR_SCALE: Final = 4
