from datetime import timedelta

LATE = timedelta(hours=1)
"""So long after a deletion we look for what was written in the very moment of it; no token lives longer."""
LOOK_SECONDS = 30.0
