"""Nothing can be signed.

ServiceUnavailableError (503)
└── SigningKeyMissingError
"""

from chassis.problems import ServiceUnavailableError


class SigningKeyMissingError(ServiceUnavailableError):
    """`python -m auth migrate` makes the first key; until it has run, nobody can be given a token."""

    code = "signing_key_missing"
    title = "There is no key to sign tokens with"
