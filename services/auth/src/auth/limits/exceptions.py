"""Too often.

TooManyRequestsError (429)
└── LimitedError
"""

from collections.abc import Mapping

from chassis.problems import TooManyRequestsError


class LimitedError(TooManyRequestsError):
    """Says when to come again, and what the limit is."""

    code = "rate_limited"
    title = "Too many attempts; try again later"

    def __init__(self, retry_after: int = 1, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(retry_after=retry_after)
        self.headers |= headers or {}
