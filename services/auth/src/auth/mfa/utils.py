"""Recovery codes as people get them, and as they are kept."""

import hashlib
import hmac
import secrets

from auth.mfa.constants import RECOVERY_ALPHABET, RECOVERY_CODE_GROUP, RECOVERY_CODE_LENGTH, RECOVERY_CODES

_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class RecoveryCodeDigester:
    """Keyed, so that whoever reads the database alone cannot even tell whether a code is one."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def compute_digest(self, code: str) -> bytes:
        """The same for every way to write a code down."""
        return hmac.digest(self._secret, normalize_recovery_code(code).encode(), hashlib.sha256)


def create_recovery_codes() -> list[str]:
    return [_create_code() for _ in range(RECOVERY_CODES)]


def _create_code() -> str:
    text = "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_CODE_LENGTH))
    starts = range(0, RECOVERY_CODE_LENGTH, RECOVERY_CODE_GROUP)
    return "-".join(text[start : start + RECOVERY_CODE_GROUP] for start in starts)


def normalize_recovery_code(code: str) -> str:
    """In capitals, without what only groups it, and with digits where letters look like them."""
    return code.upper().translate(_MISREAD)
