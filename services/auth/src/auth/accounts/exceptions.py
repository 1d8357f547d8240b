"""What can be wrong with an account.

ConflictError (409)
├── EmailTakenError
└── AccountChangedError
ForbiddenError (403)
└── EmailNotConfirmedError
"""

from chassis.database.errors import register_conflict
from chassis.problems import ConflictError, ForbiddenError


class EmailTakenError(ConflictError):
    code = "email_taken"
    title = "There is an account with this e-mail address"


class AccountChangedError(ConflictError):
    """Banned, deleted, or with another password, between a check and what was to follow from it."""

    code = "account_changed"
    title = "The account has changed meanwhile; try again"


class EmailNotConfirmedError(ForbiddenError):
    code = "email_not_confirmed"
    title = "The e-mail address is not confirmed yet"


register_conflict("account_confirmed_email_idx", EmailTakenError)
