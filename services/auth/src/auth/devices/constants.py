from datetime import timedelta
from typing import Final

DEVICE_COOKIE: Final = "__Host-device"
DEVICE_LIFETIME = timedelta(days=365)
"""Since it was last seen. After that it is as new."""
DEVICE_TOKEN_MAX_LENGTH: Final = 64
MAC_BYTES: Final = 16
NAME_MAX_LENGTH: Final = 100
UNKNOWN_NAME: Final = "an unknown device"

MAX_DEVICES = 50
"""Of one account; beyond them those that were seen longest ago are forgotten."""
PRUNE_DEVICES = 1000
