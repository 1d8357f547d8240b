from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from fastapi import Response

from chassis.etags import create_etag


@dataclass(frozen=True, slots=True)
class ProfileDocument:
    """Ready to go out."""

    body: bytes
    version: int


def create_written_response(document: ProfileDocument) -> Response:
    """After a write: with the tag that the next `If-Match` may name."""
    headers = {"ETag": create_etag(document.version, document.body)}
    return Response(document.body, headers=headers, media_type="application/json")


def normalize_email(address: str) -> str:
    """The one spelling under which an address is stored and found: lower case, its domain in ASCII.

    Raises ValueError for an address that only a mail server with SMTPUTF8 takes.
    """
    try:
        ascii_address = validate_email(address, check_deliverability=False).ascii_email
    except EmailNotValidError as error:
        raise ValueError("not a valid e-mail address") from error
    if ascii_address is None:
        raise ValueError("only ASCII characters may stand before the @")
    return ascii_address.lower()


def find_spelling(email: str) -> str:
    """What is no address belongs to nobody, and is looked up all the same: the answer takes as long."""
    try:
        return normalize_email(email.strip())
    except ValueError:
        return ""
