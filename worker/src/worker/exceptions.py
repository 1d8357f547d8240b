"""What can become of a job.

JobError                     known and reported: no traceback
├── JobDeferredError         worth another try
├── JobRejectedError         never worth another try
│   └── JobRefusedError      said its owner
└── JobAmbiguousError        maybe done, maybe not: reported to nobody, the lease decides
"""

from typing import ClassVar

from worker.constants import Outcome

MAX_REPORT_LENGTH = 500


class JobError(Exception):
    """A job that did not end well, for a reason that we know. `report` is for the owner, `str()` for the log."""

    outcome: ClassVar[Outcome]
    permanent: ClassVar[bool] = False
    code: ClassVar[str | None] = None
    """What the owner knows the failure by, if it matters to somebody beside operators."""

    def __init__(self, message: str, *, report: str | None = None) -> None:
        super().__init__(message)
        self.report = report or message


class JobDeferredError(JobError):
    outcome = Outcome.DEFERRED


class JobRejectedError(JobError):
    outcome = Outcome.REJECTED
    permanent = True


class JobRefusedError(JobRejectedError):
    """The owner has not what the job needs, or does not take what came of it, and that will not change."""


class JobAmbiguousError(JobError):
    outcome = Outcome.AMBIGUOUS


def describe_error(error: Exception) -> str:
    """What the owner is told: short, and never a traceback."""
    return clean_text(error.report if isinstance(error, JobError) else f"{type(error).__name__}: {error}")


def clean_text(text: str) -> str:
    """One line that a database can hold, also when a stranger's server said it."""
    return "".join(char if char.isprintable() else " " for char in text)[:MAX_REPORT_LENGTH]
