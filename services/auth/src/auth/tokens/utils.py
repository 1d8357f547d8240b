"""Refresh tokens as text, and the credentials of a client."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from urllib.parse import unquote_plus

from auth.clients.constants import CLIENT_ID_PATTERN
from auth.tokens.exceptions import ClientInvalidError

_CLIENT_ID = re.compile(CLIENT_ID_PATTERN)


def compute_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class RefreshChain:
    """Each refresh token leads to one child, which its holder and this secret together can compute again.

    So an answer that was lost is given again, fifty requests at once get the same, and the database, which keeps
    digests alone, holds nothing that anybody could use.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def create_token(self) -> str:
        return secrets.token_urlsafe(32)

    def derive_descendant(self, token: str, generations: int) -> str:
        for _ in range(generations):
            mac = hmac.digest(self._secret, token.encode(), hashlib.sha256)
            token = base64.urlsafe_b64encode(mac).decode().rstrip("=")
        return token


def parse_basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Client id and secret, form-encoded inside (RFC 6749, section 2.3.1); None for another scheme.

    Raises ClientInvalidError.
    """
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        identity, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise ClientInvalidError from error
    if not separator:
        raise ClientInvalidError
    return unquote_plus(identity), unquote_plus(secret)


def check_client_id(client_id: str) -> str:
    if not _CLIENT_ID.fullmatch(client_id):
        raise ClientInvalidError
    return client_id
