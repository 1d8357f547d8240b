"""What can be wrong with an account.

ConflictError (409)
├── AccountChangedError
└── LastAdminError
ForbiddenError (403)
└── EmailNotConfirmedError
"""

from chassis.problems import ConflictError, ForbiddenError


class AccountChangedError(ConflictError):
    """Banned, deleted, or with another password, between a check and what was to follow from it."""

    code = "account_changed"
    title = "The account has changed meanwhile; try again"


class LastAdminError(ConflictError):
    code = "last_admin"
    title = "The last admin must stay one"


class EmailNotConfirmedError(ForbiddenError):
    code = "email_not_confirmed"
    title = "The e-mail address is not confirmed yet"
