"""What staff may not do, or not any more.

NotFoundError (404)
└── UserNotFoundError
ForbiddenError (403)
├── OwnAccountError
└── UserProtectedError
"""

from chassis.problems import ForbiddenError, NotFoundError


class UserNotFoundError(NotFoundError):
    code = "user_not_found"
    title = "There is no such user"


class OwnAccountError(ForbiddenError):
    code = "own_account"
    title = "Nobody does this to their own account"


class UserProtectedError(ForbiddenError):
    """Only an admin may act on a member of staff."""

    code = "user_protected"
    title = "This user is a member of staff"
