"""Errors of asking auth.

ConflictError
└── ConfirmationGoneError
"""

from chassis.problems import ConflictError


class ConfirmationGoneError(ConflictError):
    """Auth knows no such confirmation (any more), so the mail that would carry its token has no content.

    Not a 404: it is not the mail that is missing.
    """

    code = "confirmation_gone"
    title = "The confirmation that this mail is about does not exist"
