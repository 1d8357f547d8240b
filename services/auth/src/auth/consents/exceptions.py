"""What can be wrong with a consent.

NotFoundError (404)
└── ConsentNotFoundError
"""

from chassis.problems import NotFoundError


class ConsentNotFoundError(NotFoundError):
    code = "consent_not_found"
    title = "This app was not let in"
