"""What can be wrong with an app of somebody else.

NotFoundError (404)
└── AppNotFoundError
ConflictError (409)
└── AppPublicError
"""

from chassis.problems import ConflictError, NotFoundError


class AppNotFoundError(NotFoundError):
    code = "client_not_found"
    title = "There is no such client"


class AppPublicError(ConflictError):
    code = "client_public"
    title = "A public client has no secret"
