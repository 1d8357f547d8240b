"""A mail as its owner gives it to us."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel, UtcDatetime
from worker.jobs import JobClaim


class EmailClaim(JobClaim):
    """Fixed when the mail was written down: the same on every try."""

    email_id: UUID
    sender: str = Field(min_length=3, max_length=320)
    recipient: str = Field(min_length=3, max_length=320)
    message_id: str = Field(min_length=3, max_length=500)
    date: UtcDatetime


class EmailContent(CustomModel):
    subject: str = Field(max_length=1000)
    text: str = Field(max_length=500_000)
    html: str | None = Field(default=None, max_length=500_000)


@dataclass(frozen=True)
class OutgoingMail:
    """An envelope and the bytes that go into it, lines ended by CR LF."""

    sender: str
    recipient: str
    content: bytes
    needs_utf8: bool
