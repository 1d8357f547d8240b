"""What can be wrong with an export.

JobDeferredError
├── DataRefusedError
└── ExportTooSlowError
JobRejectedError
└── ExportTooLargeError
"""

from worker.exceptions import JobDeferredError, JobRejectedError


class DataRefusedError(JobDeferredError):
    """A service does not give what it has, or not in a form that we know: perhaps its next release does."""


class ExportTooSlowError(JobDeferredError):
    """The services may be busy."""


class ExportTooLargeError(JobRejectedError):
    pass
