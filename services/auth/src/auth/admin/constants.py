REASON_MAX_LENGTH = 500
ROLES_LOCK = 4_826_030
"""Advisory lock: of two who take the role of an admin from one another, one comes too late."""
RECENT_MINUTES = 15
