"""One received mail: the bytes as they came, and what people and tests want to read in them."""

import email
import email.policy
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Message:
    """A mail as it was delivered. `raw` starts with the envelope, as a delivery agent writes it."""

    id: str
    received_at: datetime
    raw: bytes

    @cached_property
    def parsed(self) -> EmailMessage:
        """The mail as an EmailMessage."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def sender(self) -> str:
        """The From header, or the envelope's sender where there is none."""
        return self.header("From") or self.header("Return-Path")

    @property
    def recipients(self) -> list[str]:
        """Whom the envelope named, which a To header need not."""
        return [str(value) for value in self.parsed.get_all("Delivered-To", [])]

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return self.header("Subject")

    @property
    def text(self) -> str | None:
        """The plain text part."""
        return self._part("plain")

    @property
    def html(self) -> str | None:
        """The HTML part, exactly as sent: show it in a sandbox only."""
        return self._part("html")

    def header(self, name: str) -> str:
        """A header's first value; empty where the mail has none."""
        return str(self.parsed.get(name, ""))

    def is_for(self, recipient: str) -> bool:
        """Whether the envelope named this address; letter case does not count."""
        return recipient.casefold() in (known.casefold() for known in self.recipients)

    def to_json(self) -> dict[str, Any]:
        """The mail as `/api/messages` gives it; a header that came twice has its values on lines of their own."""
        headers: dict[str, str] = {}
        for name, value in self.parsed.items():
            headers[name] = f"{headers[name]}\n{value}" if name in headers else str(value)
        return {
            "id": self.id,
            "message_id": self.header("Message-ID"),
            "from": self.sender,
            "to": self.recipients,
            "subject": self.subject,
            "date": self.header("Date"),
            "received_at": self.received_at.isoformat().replace("+00:00", "Z"),
            "text": self.text,
            "html": self.html,
            "headers": headers,
        }

    def _part(self, subtype: str) -> str | None:
        part = self.parsed.get_body(preferencelist=(subtype,))
        return None if part is None else str(part.get_content()).replace("\r\n", "\n")


def with_envelope(content: bytes, *, sender: str, recipients: list[str]) -> bytes:
    """Put the envelope before a mail in the two headers that delivery agents use for it."""
    lines = [f"Return-Path: <{sender}>", *(f"Delivered-To: {recipient}" for recipient in recipients)]
    return "".join(f"{line}\r\n" for line in lines).encode() + content
