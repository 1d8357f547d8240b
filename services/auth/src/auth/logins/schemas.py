from typing import Literal

from pydantic import ConfigDict, Field, SecretStr

from auth.passwords.constants import PASSWORD_MAX_LENGTH
from chassis.schemas import CustomModel, InputModel


class StepUp(InputModel):
    """Who one is, once more."""

    # A password is taken to the letter.
    model_config = ConfigDict(str_strip_whitespace=False)

    password: SecretStr = Field(max_length=PASSWORD_MAX_LENGTH)


class SteppedUpRead(CustomModel):
    """An access token that says of the login when and how it was proved last. The refresh token stays."""

    access_token: str = Field(max_length=4096, repr=False)
    token_type: Literal["bearer"]
    expires_in: int = Field(ge=1, le=86400)
    scope: str = Field(max_length=1000)
