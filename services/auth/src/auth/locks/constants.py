from datetime import timedelta
from typing import Final

TELL_SECONDS: Final = 5.0
LOCK_KEPT = timedelta(days=1)
"""So long an owner is not told again."""
TELL_BATCH: Final = 100
