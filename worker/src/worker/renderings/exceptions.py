"""What can be wrong with an article.

JobRejectedError
├── ArticleTooLargeError   before or after rendering
└── ArticleTooSlowError    the time for it was over
"""

from worker.exceptions import JobRejectedError


class ArticleTooLargeError(JobRejectedError):
    """More text than we render, or more HTML than a post may hold. The code is what its creator is told."""

    code = "html_too_large"


class ArticleTooSlowError(JobRejectedError):
    """A second try would take as long: its creator may change it, or publish it once more."""
