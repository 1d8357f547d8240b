REQUEST_CHANNEL = "recovery_request"
"""Of PostgreSQL: wakes the background process."""
LOOK_SECONDS = 5.0
BATCH = 100
