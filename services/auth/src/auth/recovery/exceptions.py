"""What keeps somebody from new credentials.

ForbiddenError (403)
└── PasswordWrongError
BadRequestError (400)
└── LinkInvalidError
ConflictError (409)
└── AddressUnavailableError
"""

from chassis.problems import BadRequestError, ConflictError, ForbiddenError


class PasswordWrongError(ForbiddenError):
    code = "password_wrong"
    title = "The current password is wrong"


class LinkInvalidError(BadRequestError):
    """Unknown, used, expired or for something else: which of them is nobody's business who has only guessed."""

    code = "link_invalid"
    title = "The link is not valid, has expired or was used before"


class AddressUnavailableError(ConflictError):
    """Told only to who has proved both addresses."""

    code = "address_unavailable"
    title = "The new address belongs to another account meanwhile"
