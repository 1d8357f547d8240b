"""Why a login is refused.

OAuthError
├── CredentialsInvalidError     401 invalid_grant
├── LoginNotConfirmedError      403 invalid_grant
├── AccountBannedError          403 invalid_grant
└── MfaRequiredError            403 mfa_required
"""

from auth.accounts.exceptions import EmailNotConfirmedError
from auth.clients.exceptions import OAuthError
from chassis.problems import ForbiddenError, UnauthorizedError


class CredentialsInvalidError(OAuthError, UnauthorizedError):
    """The same for a wrong password and an unknown address."""

    error = "invalid_grant"
    code = "credentials_invalid"
    title = "The e-mail address or the password is wrong"
    keeps_changes = True


class LoginNotConfirmedError(OAuthError, EmailNotConfirmedError):
    error = "invalid_grant"
    keeps_changes = True


class AccountBannedError(OAuthError, ForbiddenError):
    """Only who knows the password is told."""

    error = "invalid_grant"
    code = "account_banned"
    title = "This account is banned"
    keeps_changes = True


class MfaRequiredError(OAuthError, ForbiddenError):
    """The password was right. `mfa_token` stands for that in the grant that brings the second factor."""

    error = "mfa_required"
    code = "mfa_required"
    title = "A second factor is needed"
    keeps_changes = True

    def __init__(self, mfa_token: str) -> None:
        super().__init__(extra={"mfa_token": mfa_token})
