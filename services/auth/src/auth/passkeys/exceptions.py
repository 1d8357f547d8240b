"""What can be wrong with a passkey.

OAuthError
└── PasskeyRefusedError         401 invalid_grant
ForbiddenError (403)
└── PasskeyWrongError
BadRequestError (400)
└── PasskeyInvalidError
NotFoundError (404)
└── PasskeyNotFoundError
ConflictError (409)
└── PasskeyTakenError
"""

from auth.clients.exceptions import OAuthError
from chassis.database.errors import register_conflict
from chassis.problems import BadRequestError, ConflictError, ForbiddenError, NotFoundError, UnauthorizedError


class PasskeyRefusedError(OAuthError, UnauthorizedError):
    """The same for one that nobody has, a challenge that is over and a wrong signature."""

    error = "invalid_grant"
    code = "passkey_refused"
    title = "The passkey is not known, or its answer came too late"
    keeps_changes = True


class PasskeyWrongError(ForbiddenError):
    """Of somebody who is logged in."""

    code = "passkey_wrong"
    title = "This is no passkey of this account, or its answer came too late"
    keeps_changes = True


class PasskeyInvalidError(BadRequestError):
    code = "passkey_invalid"
    title = "The new passkey could not be verified; begin anew"
    keeps_changes = True


class PasskeyNotFoundError(NotFoundError):
    """Also for one of somebody else."""

    code = "passkey_not_found"
    title = "There is no such passkey"


class PasskeyTakenError(ConflictError):
    code = "passkey_taken"
    title = "This passkey is registered already"


register_conflict("passkey_credential_id_key", PasskeyTakenError)
