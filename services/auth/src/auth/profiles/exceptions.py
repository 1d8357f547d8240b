"""What can be wrong with a profile.

ConflictError (409)
└── UsernameTakenError
NotFoundError (404)
└── ProfileNotFoundError
ForbiddenError (403)
└── NotOwnProfileError
"""

from chassis.database.errors import register_conflict
from chassis.problems import ConflictError, ForbiddenError, NotFoundError


class UsernameTakenError(ConflictError):
    code = "username_taken"
    title = "The username is, or was, somebody else's"


class ProfileNotFoundError(NotFoundError):
    code = "profile_not_found"
    title = "There is no such profile"


class NotOwnProfileError(ForbiddenError):
    code = "not_own_profile"
    title = "This profile is somebody else's"


register_conflict("profile_username_lower_idx", UsernameTakenError)
