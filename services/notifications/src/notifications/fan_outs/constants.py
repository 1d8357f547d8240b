CHUNK = 5000
"""Followers told in one transaction, in about a quarter of a second: a long one would hold back every feed."""
FAN_OUT_CHANNEL = "notification_fan_out"

LOOK_SECONDS = 5.0
"""Between two looks that nobody asked for: what wakes may be lost."""
RETRY_SECONDS = 1.0
