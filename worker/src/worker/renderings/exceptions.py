"""What can be wrong with an article.

JobRejectedError
└── ArticleTooLargeError   before or after rendering
"""

from worker.exceptions import JobRejectedError


class ArticleTooLargeError(JobRejectedError):
    """More text than we render, or more HTML than a post may hold."""
