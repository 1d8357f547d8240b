from typing import Literal

from pydantic import ConfigDict, Field, SecretStr

from auth.accounts.constants import EMAIL_MAX_LENGTH
from auth.apps.constants import REDIRECT_URI_MAX_LENGTH
from auth.codes.constants import VERIFIER_PATTERN
from auth.devices.constants import DEVICE_TOKEN_MAX_LENGTH
from auth.devices.service import ThisDevice
from auth.mfa.constants import CHALLENGE_TOKEN_MAX_LENGTH, CODE_MAX_LENGTH
from auth.passkeys.constants import ASSERTION_MAX_LENGTH
from auth.passwords.constants import PASSWORD_MAX_LENGTH
from auth.tokens.constants import SCOPE_MAX_LENGTH, SECRET_MAX_LENGTH, TOKEN_MAX_LENGTH, Delivery
from chassis.schemas import CustomModel, InputModel


class TokenForm(InputModel):
    """RFC 6749: what each grant needs is checked by grant, and what is not known is ignored."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=False)

    grant_type: str = Field(
        max_length=100,
        description="`password` and, after it, `urn:broadsheet:params:oauth:grant-type:mfa`, or "
        "`urn:broadsheet:params:oauth:grant-type:passkey` (our own apps only), "
        "`refresh_token`, `client_credentials` or `authorization_code`.",
    )
    username: str | None = Field(default=None, max_length=EMAIL_MAX_LENGTH, description="The e-mail address.")
    password: SecretStr | None = Field(default=None, max_length=PASSWORD_MAX_LENGTH)
    mfa_token: SecretStr | None = Field(
        default=None, max_length=CHALLENGE_TOKEN_MAX_LENGTH, description="From the answer `mfa_required`."
    )
    code: SecretStr | None = Field(
        default=None,
        max_length=CODE_MAX_LENGTH,
        description="Of an authorization; or of the authenticator app, or a recovery code.",
    )
    code_verifier: str | None = Field(default=None, pattern=VERIFIER_PATTERN, repr=False, description="RFC 7636.")
    redirect_uri: str | None = Field(
        default=None, max_length=REDIRECT_URI_MAX_LENGTH, description="The same as in the authorization request."
    )
    refresh_token: SecretStr | None = Field(
        default=None, max_length=TOKEN_MAX_LENGTH, description="For clients that do not keep cookies."
    )
    assertion: str | None = Field(
        default=None,
        max_length=ASSERTION_MAX_LENGTH,
        repr=False,
        description="Of a passkey: `JSON.stringify()` of what `navigator.credentials.get()` gave.",
    )
    client_id: str | None = Field(default=None, max_length=64)
    client_secret: SecretStr | None = Field(default=None, max_length=SECRET_MAX_LENGTH)
    scope: str | None = Field(default=None, max_length=SCOPE_MAX_LENGTH)
    device_token: SecretStr | None = Field(
        default=None,
        max_length=DEVICE_TOKEN_MAX_LENGTH,
        description="With `delivery=body`: from an earlier login on this device, or from `mfa_required`.",
    )
    delivery: Delivery = Field(
        default=Delivery.COOKIE,
        description="With a login: `body` gives the refresh token in the answer and sets no cookie.",
    )

    @property
    def scopes(self) -> frozenset[str] | None:
        """What is asked for; None for all that there is."""
        return frozenset(self.scope.split()) if self.scope else None


class TokenRead(CustomModel):
    """RFC 6749, section 5.1."""

    access_token: str = Field(max_length=4096, repr=False)
    token_type: Literal["bearer"]
    expires_in: int = Field(ge=1, le=86400)
    scope: str = Field(max_length=SCOPE_MAX_LENGTH)


class RefreshableTokenRead(TokenRead):
    """For a client that keeps the refresh token itself."""

    refresh_token: str = Field(max_length=SECRET_MAX_LENGTH, repr=False)


class LoginTokenRead(RefreshableTokenRead):
    """The same after a login."""

    device_token: str = Field(
        max_length=DEVICE_TOKEN_MAX_LENGTH, repr=False, description="To be shown at the next login on this device."
    )


class IssuedTokens(CustomModel):
    """What a grant leads to, before it is known how it goes out."""

    access_token: str = Field(max_length=4096, repr=False)
    expires_in: int = Field(ge=1, le=86400)
    scope: str = Field(max_length=SCOPE_MAX_LENGTH)
    refresh_token: str | None = Field(default=None, max_length=SECRET_MAX_LENGTH, repr=False)
    refresh_seconds: int = Field(default=0, ge=0, description="Until the session ends, whatever is done.")
    delivery: Delivery = Delivery.BODY
    device: ThisDevice | None = Field(default=None, description="After a login: what it is known by from now on.")
