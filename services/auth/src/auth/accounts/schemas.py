from typing import Annotated

from pydantic import AfterValidator, ConfigDict, EmailStr, Field, SecretStr, field_validator
from pydantic_core.core_schema import ValidationInfo

from auth.accounts.constants import EMAIL_MAX_LENGTH
from auth.accounts.utils import normalize_email
from auth.passwords.schemas import Password, check_password_rules
from auth.profiles.schemas import Name, ProfileRead, Username
from chassis.schemas import InputModel, UtcDatetime

Email = Annotated[EmailStr, Field(max_length=EMAIL_MAX_LENGTH), AfterValidator(normalize_email)]


class ProfileCreate(InputModel):
    # A password is taken to the letter; names are stripped by their own type.
    model_config = ConfigDict(str_strip_whitespace=False)

    email: Email
    username: Username
    first_name: Name
    last_name: Name
    # The last, because its rules look at the fields above.
    password: Password

    @field_validator("password")
    @classmethod
    def apply_password_rules(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        return check_password_rules(password, username=info.data.get("username", ""), email=info.data.get("email", ""))


class ProfileMe(ProfileRead):
    """What one sees of oneself."""

    email: str = Field(max_length=EMAIL_MAX_LENGTH)
    is_confirmed: bool
    updated_at: UtcDatetime
