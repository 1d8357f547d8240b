"""What a mail hop can do to a mail.

JobDeferredError
├── MailHopAwayError       no connection, or it broke before the final dot
└── MailDeferredError      4xx
JobRejectedError
├── MailRejectedError      5xx
└── MailUnwritableError    no mail can be made of what the owner gave us
JobAmbiguousError
└── MailAmbiguousError     the connection broke after the final dot
"""

from worker.exceptions import JobAmbiguousError, JobDeferredError, JobRejectedError


class MailHopAwayError(JobDeferredError):
    """Certainly not sent."""


class MailDeferredError(JobDeferredError):
    """Not now, said the hop."""


class MailRejectedError(JobRejectedError):
    """Never, said the hop."""


class MailUnwritableError(JobRejectedError):
    """An address or a header that no mail can carry."""


class MailAmbiguousError(JobAmbiguousError):
    """Perhaps sent: the hop had the whole mail and did not say what it did with it."""
