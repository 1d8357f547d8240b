"""The credentials of a client, and how OAuth routes declare what they refuse."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from auth.clients.constants import CLIENT_ID_PATTERN
from auth.clients.exceptions import ClientInvalidError, ClientsManyError
from chassis.problems import PROBLEM_MEDIA_TYPE, ProblemError, problem_responses

_CLIENT_ID = re.compile(CLIENT_ID_PATTERN)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """As a client shows them; without a secret if it has none."""

    client_id: str
    secret: str | None = field(default=None, repr=False)


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


def read_client_credentials(authorization: str, client_id: str | None, secret: str | None) -> ClientCredentials | None:
    """By HTTP Basic or by form fields, and not by both. Raises ClientInvalidError, ClientsManyError."""
    basic = parse_basic_credentials(authorization)
    if basic is None:
        return ClientCredentials(client_id, secret) if client_id else None
    if secret or client_id not in (None, "", basic[0]):
        raise ClientsManyError
    return ClientCredentials(*basic)


def check_client_id(client_id: str) -> str:
    if not _CLIENT_ID.fullmatch(client_id):
        raise ClientInvalidError
    return client_id


def oauth_responses(*errors: type[ProblemError]) -> dict[int | str, dict[str, Any]]:
    """As `problem_responses`, but for the media type, which RFC 6749, 5.2, fixes."""
    responses = problem_responses(*errors)
    for response in responses.values():
        response["content"] = {"application/json": response["content"][PROBLEM_MEDIA_TYPE]}
    return responses
