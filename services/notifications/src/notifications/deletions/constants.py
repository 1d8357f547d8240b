from datetime import timedelta

LATE = timedelta(days=2)
"""So long after a deletion we look for what came later: mails that were still to be sent, events of the other feed."""
LOOK_SECONDS = 10.0
