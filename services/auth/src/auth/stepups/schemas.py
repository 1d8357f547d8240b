from typing import Literal, Self

from pydantic import ConfigDict, Field, SecretStr, model_validator

from auth.passkeys.schemas import AssertionInput
from auth.passwords.constants import PASSWORD_MAX_LENGTH
from chassis.schemas import CustomModel, InputModel


class StepUp(InputModel):
    """Who one is, once more: by one of the two."""

    # A password is taken to the letter.
    model_config = ConfigDict(str_strip_whitespace=False)

    password: SecretStr | None = Field(default=None, max_length=PASSWORD_MAX_LENGTH)
    passkey: AssertionInput | None = None

    @model_validator(mode="after")
    def check_one_is_there(self) -> Self:
        if (self.password is None) is (self.passkey is None):
            raise ValueError("password or passkey, one of them")
        return self


class SteppedUpRead(CustomModel):
    """An access token that says of the login when and how it was proved last. The refresh token stays."""

    access_token: str = Field(max_length=4096, repr=False)
    token_type: Literal["bearer"]
    expires_in: int = Field(ge=1, le=86400)
    scope: str = Field(max_length=1000)
