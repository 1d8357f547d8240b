"""Names that the worker shares with those who send it hints."""

from enum import StrEnum


class QueueName(StrEnum):
    MAIL = "mail"
    CPU = "cpu"
    DEFAULT = "default"


class TaskName(StrEnum):
    """`domain.verb_noun`; each carries one uuid at most."""

    SEND_EMAIL = "mail.send_email"
    RENDER_POST = "posts.render_post"
    RESIZE_AVATAR = "auth.resize_avatar"
    BUILD_EXPORT = "auth.build_export"
    RESEND_HINTS = "sweeps.resend_hints"
    TOUCH_CANARY = "sweeps.touch_canary"


class Outcome(StrEnum):
    """How a task ended, in its log line and as a label of its metrics."""

    DONE = "done"
    SKIPPED = "skipped"
    """Somebody else has the job, or it is done already."""
    OWNER_AWAY = "owner_away"
    """The owning service did not answer; the sweep sends another hint."""
    DEFERRED = "deferred"
    """Did not work this time; the owner decides when to try again."""
    REJECTED = "rejected"
    """Will never work."""
    AMBIGUOUS = "ambiguous"
    """Maybe done: what happens then is the owner's to decide, when the lease is over."""
    FAILED = "failed"
    """An error nobody expected."""
