"""The tokens of confirmation mails."""

import base64
import hashlib
import hmac
from typing import Self
from uuid import UUID

from auth.confirmations.config import ConfirmationConfig


class ConfirmationSigner:
    """Derives a confirmation's token from its id, so that the mail can be written again, and a dump holds no token."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def from_config(cls, config: ConfirmationConfig) -> Self:
        return cls(config.secret.get_secret_value().encode())

    def derive_token(self, confirmation_id: UUID) -> str:
        mac = hmac.digest(self._secret, str(confirmation_id).encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def compute_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
