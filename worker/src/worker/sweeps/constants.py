from typing import Final

SOFT_TIME_LIMIT: Final = 20
TIME_LIMIT: Final = 30
DUE_LIMIT: Final = 100
"""Jobs an owner is asked for at a time: as many as it gives."""
MAX_QUEUE_LENGTH: Final = 1000
"""Beyond it the workers lag behind, and a second hint for the same jobs would only be in their way."""
HINT_EXPIRES_SECONDS: Final = 60
"""The sweep finds the job again; hints that nobody took must not pile up."""
