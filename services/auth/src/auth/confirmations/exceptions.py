"""Confirmations that lead nowhere.

BadRequestError (400)
└── ConfirmationInvalidError
NotFoundError (404)
└── ConfirmationNotFoundError
"""

from chassis.problems import BadRequestError, NotFoundError


class ConfirmationInvalidError(BadRequestError):
    """Unknown, used or expired: which of them is nobody's business who has only guessed."""

    code = "confirmation_invalid"
    title = "The confirmation link is not valid, has expired or was used before"


class ConfirmationNotFoundError(NotFoundError):
    """Also for one that was used or has expired: there is nothing to write a mail about."""

    code = "confirmation_not_found"
    title = "There is no such open confirmation"
