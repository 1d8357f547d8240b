"""The credentials of a client."""

import base64
import binascii
import re
from urllib.parse import unquote_plus

from auth.clients.constants import CLIENT_ID_PATTERN
from auth.clients.exceptions import ClientInvalidError

_CLIENT_ID = re.compile(CLIENT_ID_PATTERN)


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
