"""How asking accounts can fail.

ServiceUnavailableError
└── AccountsUnavailableError
"""

from chassis.problems import ServiceUnavailableError


class AccountsUnavailableError(ServiceUnavailableError):
    """Auth is away, or what it answers makes no sense."""

    code = "accounts_unavailable"
    title = "Accounts cannot be asked at the moment"
