"""What can be wrong with a session.

NotFoundError (404)
└── SessionNotFoundError
UnauthorizedError (401)
└── SessionEndedError
"""

from chassis.problems import NotFoundError, UnauthorizedError


class SessionNotFoundError(NotFoundError):
    """Also for one that has ended, or that is somebody else's."""

    code = "session_not_found"
    title = "There is no such session"


class SessionEndedError(UnauthorizedError):
    code = "session_ended"
    title = "The session has ended; log in again"
