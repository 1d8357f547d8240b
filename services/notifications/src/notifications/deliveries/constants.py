from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class EmailKind(StrEnum):
    CONFIRMATION = "confirmation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a kind
    EMAIL_CHANGE_OLD = "email_change_old"
    EMAIL_CHANGE_NEW = "email_change_new"
    SECURITY_NOTICE = "security_notice"
    EXPORT_COMPLETED = "export_completed"
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
    **dict.fromkeys(EmailKind, DeliveryPolicy.AT_LEAST_ONCE),
    # A courtesy that stands in the inbox as well: a double annoys more than a gap.
    EmailKind.REVIEW_CREATED: DeliveryPolicy.AT_MOST_ONCE,
}

SUBJECTS: Mapping[EmailKind, str] = {
    EmailKind.CONFIRMATION: "Confirm your e-mail address",
    EmailKind.PASSWORD_RESET: "Set a new password",
    EmailKind.EMAIL_CHANGE_OLD: "Confirm that your e-mail address is to change",
    EmailKind.EMAIL_CHANGE_NEW: "Confirm your new e-mail address",
    EmailKind.SECURITY_NOTICE: "{title}",
    EmailKind.EXPORT_COMPLETED: "{title}",
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

PAGES: Mapping[EmailKind, str] = {
    EmailKind.CONFIRMATION: "/api/v1/auth/confirmation",
    EmailKind.PASSWORD_RESET: "/api/v1/auth/password-reset",
    EmailKind.EMAIL_CHANGE_OLD: "/api/v1/auth/email-change",
    EmailKind.EMAIL_CHANGE_NEW: "/api/v1/auth/email-change",
}
"""Where the link of a mail leads that carries a token. All of these pages ask again before they do anything."""

LINK_TEXTS: Mapping[EmailKind, Mapping[str, str]] = {
    EmailKind.PASSWORD_RESET: {
        "intro": "somebody, we hope you, asked to set a new password for your account. Here you can:",
        "action": "Set a new password",
        "reason": "If it was not you, do nothing: your password stays as it is.",
    },
    EmailKind.EMAIL_CHANGE_OLD: {
        "intro": "you asked to use another e-mail address for your account. Confirm it with this one:",
        "action": "Confirm the change",
        "reason": "If it was not you, do nothing and set a new password: without this link the address stays.",
    },
    EmailKind.EMAIL_CHANGE_NEW: {
        "intro": "you asked to use this e-mail address for your account. Confirm that it is yours:",
        "action": "Confirm this address",
        "reason": "If it was not you, do nothing: without this link the address is not used.",
    },
}
TEMPLATE_NAMES: Mapping[EmailKind, str] = {
    **dict.fromkeys(LINK_TEXTS, "link"),
    EmailKind.SECURITY_NOTICE: "notice",
}
"""Of kinds that share one; the others have their own."""
POSTS_PATH = "/api/v1/posts"
