from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr

from auth.accounts.constants import EMAIL_MAX_LENGTH
from auth.apps.schemas import RegisteredApp
from auth.authorizations.constants import PARAMETER_MAX_LENGTH, Step
from auth.mfa.constants import CHALLENGE_TOKEN_MAX_LENGTH, CODE_MAX_LENGTH
from auth.passwords.constants import PASSWORD_MAX_LENGTH
from chassis.schemas import InputModel


class AuthorizationQuery(InputModel):
    """RFC 6749, 4.1.1, and RFC 7636, 4.3. What is wrong with a parameter is told to the app, not here."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=False)

    client_id: str = Field(default="", max_length=PARAMETER_MAX_LENGTH)
    redirect_uri: str | None = Field(
        default=None, max_length=PARAMETER_MAX_LENGTH, description="Needed where the app has several."
    )
    response_type: str = Field(default="", max_length=PARAMETER_MAX_LENGTH, description="`code`.")
    scope: str = Field(
        default="", max_length=PARAMETER_MAX_LENGTH, description="With spaces between; all that the app may, if empty."
    )
    state: str | None = Field(default=None, max_length=PARAMETER_MAX_LENGTH, description="Comes back as it is.")
    code_challenge: str = Field(default="", max_length=PARAMETER_MAX_LENGTH)
    code_challenge_method: str = Field(default="", max_length=PARAMETER_MAX_LENGTH, description="`S256`.")


class StepForm(InputModel):
    """What somebody does on the page."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=False)

    step: Step
    username: str | None = Field(default=None, max_length=EMAIL_MAX_LENGTH, description="The e-mail address.")
    password: SecretStr | None = Field(default=None, max_length=PASSWORD_MAX_LENGTH)
    mfa_token: SecretStr | None = Field(default=None, max_length=CHALLENGE_TOKEN_MAX_LENGTH)
    code: SecretStr | None = Field(default=None, max_length=CODE_MAX_LENGTH, description="The second factor.")


@dataclass(frozen=True, slots=True)
class Target:
    """An app that is known, and where people are sent back to."""

    app: RegisteredApp
    redirect_uri: str
    sent_redirect_uri: str | None
    """As the app named it, if it did."""
    state: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authorization:
    """What an app asks for, complete."""

    target: Target
    scopes: frozenset[str]
    code_challenge: str


@dataclass(frozen=True, slots=True)
class BrowserLogin:
    """Whose browser it is."""

    session_id: UUID
    profile_id: UUID
    username: str
    amr: tuple[str, ...]
    acr: str
    authenticated_at: datetime
