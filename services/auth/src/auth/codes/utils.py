"""RFC 7636, S256."""

import base64
import hashlib
import hmac


def compute_challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_verifier_of(challenge: str, verifier: str) -> bool:
    return hmac.compare_digest(compute_challenge(verifier), challenge)
