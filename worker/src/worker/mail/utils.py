"""Builds the bytes of a mail: the same for the same input, so that a second try is the same mail to everybody."""

import hashlib
import re
import unicodedata
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from worker.mail.exceptions import MailUnwritableError
from worker.mail.schemas import EmailClaim, EmailContent, OutgoingMail

# Everything that ends a line for somebody, and what cannot be encoded at all.
UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Zl", "Zp", "Cs"})
MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
# As people have them: a quoted local part is legal too, and nobody's.
ATOM = r'[^\s@<>()\[\]\\,;:"\x00-\x1f\x7f-\x9f]'
SPEC = rf"(?P<local>{ATOM}+)@(?P<domain>{ATOM}+)"
NAME = r'(?P<name>"[^"\\<>\x00-\x1f\x7f-\x9f\u2028\u2029]*"|[^"\\<>@,;:\x00-\x1f\x7f-\x9f\u2028\u2029]*)'
ADDRESS = re.compile(rf"(?P<opening>{NAME} *<)?{SPEC}(?(opening)>)")
EMPTY_FIRST_LINE = re.compile(rb"^([A-Za-z-]+:)\r\n[ \t]+", re.MULTILINE)
BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def build_mail(claim: EmailClaim, content: EmailContent) -> OutgoingMail:
    """Raises MailUnwritableError when an address or the Message-ID cannot stand in a header."""
    sender, recipient = parse_address(claim.sender), parse_address(claim.recipient)
    needs_utf8 = not (sender.addr_spec.isascii() and recipient.addr_spec.isascii())
    message = EmailMessage(policy=SMTPUTF8 if needs_utf8 else SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = flatten_text(content.subject)
    message["Date"] = format_datetime(claim.date.astimezone(UTC))
    message["Message-ID"] = parse_message_id(claim.message_id)
    # RFC 3834: no holiday note comes back.
    message["Auto-Submitted"] = "auto-generated"
    add_bodies(message, claim, content)
    return OutgoingMail(
        sender=sender.addr_spec,
        recipient=recipient.addr_spec,
        content=check_lines(join_first_lines(message.as_bytes())),
        needs_utf8=needs_utf8,
    )


def add_bodies(message: EmailMessage, claim: EmailClaim, content: EmailContent) -> None:
    # Quoted-printable keeps every line short and ASCII, and leaves no bare line end for SMTP smuggling.
    message.set_content(strip_surrogates(content.text), cte="quoted-printable")
    if content.html is not None:
        message.add_alternative(strip_surrogates(content.html), subtype="html", cte="quoted-printable")
        # The default boundary is random.
        message.set_boundary(f"=_{hashlib.sha256(claim.message_id.encode()).hexdigest()[:32]}")


def parse_address(text: str) -> Address:
    """One address, with or without a name before it, its domain in ASCII."""
    match = ADDRESS.fullmatch(text)
    if match is None:
        raise MailUnwritableError("an address cannot be read")
    try:
        domain = match["domain"].encode("idna").decode()
    except UnicodeError as error:
        raise MailUnwritableError("the domain of an address cannot be read") from error
    return Address((match["name"] or "").strip().strip('"'), username=match["local"], domain=domain)


def parse_message_id(text: str) -> str:
    """With its angle brackets, whether it came with them or not."""
    message_id = f"<{text.strip().removeprefix('<').removesuffix('>')}>"
    if not MESSAGE_ID.fullmatch(message_id):
        raise MailUnwritableError("the Message-ID cannot stand in a header")
    return message_id


def flatten_text(text: str) -> str:
    """One line: whatever ends a line becomes a space."""
    return "".join(" " if unicodedata.category(char) in UNPRINTABLE_CATEGORIES else char for char in text).strip()


def strip_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def join_first_lines(content: bytes) -> bytes:
    """Python starts a value that is a little too long on a line of its own, and readers see a space before it."""
    headers, separator, body = content.partition(b"\r\n\r\n")
    return EMPTY_FIRST_LINE.sub(rb"\1 ", headers) + separator + body


def check_lines(content: bytes) -> bytes:
    if BARE_LINE_END.search(content):
        raise MailUnwritableError("the mail holds a bare line end")
    return content
