from datetime import timedelta
from typing import Final

from auth.logins.constants import MFA_AMR

PASSKEY_AMR: Final = ("pop", "user")
PASSKEY_LOGIN_AMR: Final = (*PASSKEY_AMR, MFA_AMR)
"""RFC 8176: a key is there, and a person. Whether it is hardware, an attestation alone would tell."""
CHALLENGE_BYTES: Final = 32
CHALLENGE_LIFETIME = timedelta(minutes=5)
"""So long a browser may take, for people to find their phone or key."""
PRUNE_CHALLENGES: Final = 1000

NAME_PATTERN: Final = r"^[^\x00-\x1f\x7f]+$"

ATTESTATION_FORMATS: Final = ("none", "packed")
"""We ask for none, and clients then send none, or a signature by the new key itself. Nothing else is looked into."""
BASE64URL: Final = "^[A-Za-z0-9_-]+$"
CREDENTIAL_ID_MAX_LENGTH: Final = 1364
"""1023 bytes (WebAuthn level 3), in base64url."""
BLOB_MAX_LENGTH: Final = 8192
ASSERTION_MAX_LENGTH: Final = 40_000
LOCALHOST: Final = "localhost"
REASON_MAX_LENGTH: Final = 200
