from typing import Literal

from pydantic import ConfigDict, Field, SecretStr

from auth.mfa.constants import CODE_MAX_LENGTH
from auth.passwords.constants import PASSWORD_MAX_LENGTH
from chassis.schemas import CustomModel, InputModel


class StepUp(InputModel):
    """Who one is, once more."""

    # A password is taken to the letter.
    model_config = ConfigDict(str_strip_whitespace=False)

    password: SecretStr = Field(max_length=PASSWORD_MAX_LENGTH)
    code: str | None = Field(
        default=None,
        min_length=1,
        max_length=CODE_MAX_LENGTH,
        repr=False,
        description="Where the account has a second factor: of the authenticator app, or a recovery code.",
    )


class SteppedUpRead(CustomModel):
    """An access token that says of the login when and how it was proved last. The refresh token stays."""

    access_token: str = Field(max_length=4096, repr=False)
    token_type: Literal["bearer"]
    expires_in: int = Field(ge=1, le=86400)
    scope: str = Field(max_length=1000)
