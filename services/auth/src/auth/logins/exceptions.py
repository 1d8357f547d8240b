"""Why a login is refused.

OAuthError
├── CredentialsInvalidError     401 invalid_grant
├── LoginNotConfirmedError      403 invalid_grant
├── AccountBannedError          403 invalid_grant
├── MfaRequiredError            403 mfa_required
├── MfaTokenInvalidError        401 invalid_grant
└── SecondFactorRefusedError    403 invalid_grant
"""

from auth.accounts.exceptions import EmailNotConfirmedError
from auth.clients.exceptions import OAuthError
from auth.devices.service import ThisDevice
from auth.mfa.exceptions import SecondFactorWrongError
from auth.mfa.schemas import Asked
from chassis.problems import ForbiddenError, UnauthorizedError


class CredentialsInvalidError(OAuthError, UnauthorizedError):
    """The same for a wrong password, an unknown address, and one that is not confirmed.

    Who signs up with an address of somebody else and a password of their own would else learn, by logging in with
    both, whether it has an owner already.
    """

    error = "invalid_grant"
    code = "credentials_invalid"
    title = "The e-mail address or the password is wrong, or the address is not confirmed yet"
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
    """The password was right. `mfa_token` stands for that in the grant that brings the second factor.

    It does so on this device alone, which has to be told what it is known by: whoever answers sees to it.
    """

    error = "mfa_required"
    code = "mfa_required"
    title = "A second factor is needed"
    keeps_changes = True

    def __init__(self, asked: Asked, device: ThisDevice) -> None:
        super().__init__(extra={"mfa_token": asked.mfa_token, "methods": list(asked.methods)})
        self.asked = asked
        self.device = device


class MfaTokenInvalidError(OAuthError, UnauthorizedError):
    """Unknown, over, spent, of another device, or the password is another by now: what to do is to log in again."""

    error = "invalid_grant"
    code = "mfa_token_invalid"
    title = "It took too long, or began elsewhere; log in again"


class SecondFactorRefusedError(OAuthError, SecondFactorWrongError):
    """`mfa_token` is good for another try."""

    error = "invalid_grant"
