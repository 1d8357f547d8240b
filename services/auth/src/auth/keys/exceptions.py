"""Nothing can be signed, or the keys cannot be changed.

ServiceUnavailableError (503)
└── SigningKeyMissingError
ConfigError (told to an operator)
├── NextKeyTooYoungError
└── SigningKeyUnknownError
"""

from datetime import timedelta
from uuid import UUID

from chassis.config import ConfigError
from chassis.problems import ServiceUnavailableError


class SigningKeyMissingError(ServiceUnavailableError):
    """`python -m auth migrate` makes the first key; until it has run, nobody can be given a token."""

    code = "signing_key_missing"
    title = "There is no key to sign tokens with"


class NextKeyTooYoungError(ConfigError):
    """Somebody may not know it yet, and would refuse what it signs."""

    def __init__(self, left: timedelta) -> None:
        super().__init__(
            f"the next key is not published for long enough yet: try again in {int(left.total_seconds()) + 1} seconds. "
            "For a key that leaked there is: keys withdraw"
        )


class SigningKeyUnknownError(ConfigError):
    def __init__(self, kid: UUID) -> None:
        super().__init__(f"there is no key {kid}, or it was withdrawn already")
