"""What keeps an authenticator app from being confirmed.

ConflictError (409)
└── EnrolmentMissingError
"""

from chassis.problems import ConflictError


class EnrolmentMissingError(ConflictError):
    code = "enrolment_missing"
    title = "No authenticator waits to be confirmed; begin anew"
