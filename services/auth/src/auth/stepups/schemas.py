from typing import Literal, Self

from pydantic import ConfigDict, Field, SecretStr, model_validator

from auth.mfa.constants import CODE_MAX_LENGTH
from auth.passkeys.schemas import AssertionInput
from auth.passwords.constants import PASSWORD_MAX_LENGTH
from chassis.schemas import CustomModel, InputModel


class StepUp(InputModel):
    """Who one is, once more: by password, with a code where one is asked for, or by passkey alone."""

    # A password is taken to the letter.
    model_config = ConfigDict(str_strip_whitespace=False)

    password: SecretStr | None = Field(default=None, max_length=PASSWORD_MAX_LENGTH)
    code: str | None = Field(
        default=None,
        min_length=1,
        max_length=CODE_MAX_LENGTH,
        repr=False,
        description="Where the account has a second factor: of the authenticator app, or a recovery code.",
    )
    passkey: AssertionInput | None = None

    @model_validator(mode="after")
    def check_one_is_there(self) -> Self:
        if (self.password is None) is (self.passkey is None) or (self.passkey and self.code):
            raise ValueError("password, with code or without, or passkey alone")
        return self


class SteppedUpRead(CustomModel):
    """An access token that says of the login when and how it was proved last. The refresh token stays."""

    access_token: str = Field(max_length=4096, repr=False)
    token_type: Literal["bearer"]
    expires_in: int = Field(ge=1, le=86400)
    scope: str = Field(max_length=1000)
