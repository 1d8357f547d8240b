from pydantic import ConfigDict, Field, SecretStr

from auth.accounts.schemas import Email
from auth.confirmations.constants import TOKEN_MAX_LENGTH, TOKEN_PATTERN
from auth.passwords.constants import PASSWORD_MAX_LENGTH
from auth.passwords.schemas import Password
from chassis.schemas import CustomModel, InputModel


class MailRequest(InputModel):
    email: Email


class PasswordReset(InputModel):
    model_config = ConfigDict(str_strip_whitespace=False)

    token: str = Field(max_length=TOKEN_MAX_LENGTH, pattern=TOKEN_PATTERN, repr=False)
    password: Password


class ResetForm(InputModel):
    """The page's form. A person waits for a page, so nothing here is refused for its shape."""

    model_config = ConfigDict(str_strip_whitespace=False)

    token: str = Field(default="", max_length=TOKEN_MAX_LENGTH, repr=False)
    password: SecretStr = Field(default=SecretStr(""), max_length=1000)


class PasswordChange(InputModel):
    model_config = ConfigDict(str_strip_whitespace=False)

    current_password: SecretStr = Field(max_length=PASSWORD_MAX_LENGTH)
    password: Password


class EmailChange(InputModel):
    email: Email


class LinkUse(InputModel):
    token: str = Field(max_length=TOKEN_MAX_LENGTH, pattern=TOKEN_PATTERN, repr=False)


class LinkForm(InputModel):
    token: str = Field(default="", max_length=TOKEN_MAX_LENGTH, repr=False)


class EmailChangeState(CustomModel):
    is_changed: bool = Field(description="Whether both addresses have confirmed.")
