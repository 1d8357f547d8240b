from datetime import timedelta
from typing import Final

CODE_LIFETIME = timedelta(seconds=60)
CODE_KEPT = timedelta(days=1)
"""So long a used one is known again, and ends the tokens that were issued from it."""
PRUNE_CODES: Final = 1000

CHALLENGE_PATTERN: Final = "^[A-Za-z0-9_-]{43}$"
"""Of S256, the only method: a digest in base64url."""
VERIFIER_PATTERN: Final = "^[A-Za-z0-9._~-]{43,128}$"
