NAME_MAX_LENGTH = 200
UNKNOWN_SEQ = 0
"""Of a profile that was asked for by REST: whatever event comes is newer."""
