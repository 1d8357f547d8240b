NAME_MAX_LENGTH = 200
URL_MAX_LENGTH = 200
UNKNOWN_SEQ = 0
"""Of a profile that was asked for by REST: whatever event comes is newer."""

LAST_SEQ = 2**63 - 1
"""Newer than any event: of somebody who is gone."""
FORGOTTEN = {"first_name": "Deleted", "last_name": "user", "avatar_url": None, "is_creator": False}
