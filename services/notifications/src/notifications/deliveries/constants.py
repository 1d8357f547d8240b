from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class EmailKind(StrEnum):
    CONFIRMATION = "confirmation"
    POST_PUBLISHED = "post_published"
    REVIEW_CREATED = "review_created"


class EmailState(StrEnum):
    """Beyond the states of every job (`chassis.jobs.models.JobState`)."""

    UNKNOWN = "unknown"


class DeliveryPolicy(StrEnum):
    """What happens to a mail of which nobody knows whether the hop took it (README)."""

    AT_LEAST_ONCE = "at_least_once"  # it is handed over again, up to MAX_DOUBTS times
    AT_MOST_ONCE = "at_most_once"  # it is parked as unknown


POLICIES: Mapping[EmailKind, DeliveryPolicy] = {
    EmailKind.CONFIRMATION: DeliveryPolicy.AT_LEAST_ONCE,
    EmailKind.POST_PUBLISHED: DeliveryPolicy.AT_LEAST_ONCE,
    # A courtesy that stands in the inbox as well: a double annoys more than a gap.
    EmailKind.REVIEW_CREATED: DeliveryPolicy.AT_MOST_ONCE,
}

SUBJECTS: Mapping[EmailKind, str] = {
    EmailKind.CONFIRMATION: "Confirm your e-mail address",
    EmailKind.POST_PUBLISHED: "{creator_name}: {post_title}",
    EmailKind.REVIEW_CREATED: "{reviewer_name} reviewed “{post_title}”",
}

SEND_EMAIL_TASK = "mail.send_email"
MAIL_QUEUE = "mail"

MAX_ATTEMPTS = 200
"""About a day of a mail server that is away: the pauses grow to 15 minutes, seven and a half on average."""
MAX_DOUBTS = 3
"""A mail server that takes mails and never says so must not fill a mailbox: after so many more copies it is parked."""
LEASE_SECONDS = 120
DOT_MARGIN_SECONDS = 30
"""The dot is refused to a claim with less left: the hop's answer must come while the lease still holds."""

PARK_SECONDS = 5.0
"""Between two looks for mails that must be parked."""

KEEP = timedelta(days=30)
"""How long a mail that is over says whom it went to and what it said."""
BLANK_SECONDS = 3600.0
BLANK_BATCH = 1000

SUBJECT_MAX_LENGTH = 250
ADDRESS_MAX_LENGTH = 320
MESSAGE_ID_MAX_LENGTH = 500
REPLY_MAX_LENGTH = 1000
ERROR_MAX_LENGTH = 2000

CONFIRMATION_PATH = "/api/v1/auth/confirmation"
POSTS_PATH = "/api/v1/posts"
