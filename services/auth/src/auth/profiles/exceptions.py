"""What can be wrong with an account.

ConflictError (409)
├── EmailTakenError
└── UsernameTakenError
NotFoundError (404)
├── ProfileNotFoundError
└── CreatorNotFoundError
ForbiddenError (403)
├── NotOwnProfileError
└── EmailNotConfirmedError
ServiceUnavailableError (503)
└── HashingBusyError
"""

from chassis.database.errors import register_conflict
from chassis.problems import ConflictError, ForbiddenError, NotFoundError, ServiceUnavailableError


class EmailTakenError(ConflictError):
    code = "email_taken"
    title = "There is an account with this e-mail address"


class UsernameTakenError(ConflictError):
    code = "username_taken"
    title = "There is an account with this username"


class ProfileNotFoundError(NotFoundError):
    code = "profile_not_found"
    title = "There is no such profile"


class CreatorNotFoundError(NotFoundError):
    """Also for a profile that is no creator's."""

    code = "creator_not_found"
    title = "There is no such creator"


class NotOwnProfileError(ForbiddenError):
    code = "not_own_profile"
    title = "This profile is somebody else's"


class EmailNotConfirmedError(ForbiddenError):
    code = "email_not_confirmed"
    title = "The e-mail address is not confirmed yet"


class HashingBusyError(ServiceUnavailableError):
    """More passwords wait to be hashed than can be in the time that a client waits."""

    code = "hashing_busy"
    title = "Too many passwords are being checked at the moment"


register_conflict("profile_account_email_key", EmailTakenError)
register_conflict("profile_username_lower_idx", UsernameTakenError)
