from typing import Any
from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel, InputModel, UtcDatetime
from notifications.deliveries.constants import (
    ADDRESS_MAX_LENGTH,
    ERROR_MAX_LENGTH,
    MESSAGE_ID_MAX_LENGTH,
    REPLY_MAX_LENGTH,
    SUBJECT_MAX_LENGTH,
    EmailKind,
)

FENCE_MAX = 2**31 - 1


class EmailClaim(CustomModel):
    """The envelope of a mail, and the right to send it for a while. The same at every try, but for fence and lease."""

    email_id: UUID
    fence: int = Field(ge=1, le=FENCE_MAX)
    lease_ends_at: UtcDatetime
    sender: str = Field(max_length=ADDRESS_MAX_LENGTH, description="For the From header.")
    recipient: str = Field(max_length=ADDRESS_MAX_LENGTH)
    message_id: str = Field(max_length=MESSAGE_ID_MAX_LENGTH, description="With its angle brackets.")
    date: UtcDatetime = Field(description="For the Date header.")


class EmailContent(CustomModel):
    """What the mail says. `subject` is one line; worker and hop still have to encode it."""

    subject: str = Field(max_length=SUBJECT_MAX_LENGTH)
    text: str = Field(max_length=100_000)
    html: str = Field(max_length=200_000)


class FenceInput(InputModel):
    fence: int = Field(ge=1, le=FENCE_MAX, description="From the claim.")


class EmailDotInput(FenceInput):
    """The worker is about to end the message: from here on the hop may have it."""


class EmailResultInput(FenceInput):
    smtp_reply: str = Field(max_length=REPLY_MAX_LENGTH, description="The reply to the final dot.")


class EmailFailureInput(FenceInput):
    """The hop surely has not taken the mail. An answer that never came is no failure: let the lease run out."""

    error: str = Field(max_length=ERROR_MAX_LENGTH)
    permanent: bool = Field(description="No later try can succeed (5xx).")


class EmailDraft(CustomModel):
    """What a mail is made of, as its row keeps it."""

    kind: EmailKind
    params: dict[str, Any]
