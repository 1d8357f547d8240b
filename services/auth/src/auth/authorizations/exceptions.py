"""Why an app is not let in.

BadRequestError (400)
└── AppUnknownError     told to the person: nobody knows where to send them back to
ProblemError (303)
└── SentBackError       told to the app, by way of the person's browser
"""

from chassis.problems import BadRequestError, ProblemError


class AppUnknownError(BadRequestError):
    """RFC 6749, 4.1.2.1: never a redirect, which would make an open redirector."""

    code = "authorization_invalid"
    title = "This app is not known here, or asks in a way that it may not"


class SentBackError(ProblemError):
    status = 303
    code = "authorization_refused"

    def __init__(self, location: str) -> None:
        super().__init__(headers={"Location": location})
        self.location = location
