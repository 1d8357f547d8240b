from typing import Final

SOFT_TIME_LIMIT: Final = 20
TIME_LIMIT: Final = 30
DUE_LIMIT: Final = 100
"""Jobs an owner is asked for at a time: as many as it gives."""
MAX_QUEUE_LENGTH: Final = 10
"""A longer queue is no sign of lost hints but of workers that lag behind: more hints would only be in their way."""
HINT_EXPIRES_SECONDS: Final = 60
"""The sweep finds the job again; hints that nobody took must not pile up."""
