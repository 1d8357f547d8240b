"""What can be wrong with an image. The codes are what its owner is told.

JobRejectedError
├── ImageUnreadableError
├── ImageTooLargeError
└── ImageTooSlowError
"""

from worker.exceptions import JobRejectedError


class ImageUnreadableError(JobRejectedError):
    code = "image_unreadable"


class ImageTooLargeError(JobRejectedError):
    """More pixels than we decode."""

    code = "image_too_large"


class ImageTooSlowError(JobRejectedError):
    """A second try would take as long."""

    code = "processing_failed"
