"""What is wrong with a second factor.

ForbiddenError (403)
├── SecondFactorMissingError
└── SecondFactorWrongError
NotFoundError (404)
└── FactorNotFoundError
ConflictError (409)
├── SecondFactorOffError
└── FactorsTooManyError
"""

from collections.abc import Iterable

from chassis.problems import ConflictError, ForbiddenError, NotFoundError


class SecondFactorMissingError(ForbiddenError):
    code = "mfa_required"
    title = "A second factor is needed"

    def __init__(self, methods: Iterable[str]) -> None:
        super().__init__(extra={"methods": list(methods)})


class SecondFactorWrongError(ForbiddenError):
    """Wrong, too old or used before: which of them would help a guesser alone."""

    code = "second_factor_wrong"
    title = "The code is wrong, or was used before"
    keeps_changes = True


class FactorNotFoundError(NotFoundError):
    code = "factor_not_found"
    title = "There is no such second factor"


class SecondFactorOffError(ConflictError):
    code = "second_factor_off"
    title = "The account has no second factor"


class FactorsTooManyError(ConflictError):
    code = "factors_too_many"
    title = "The account has as many second factors as it can"
