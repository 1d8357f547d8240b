from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, EmailStr, Field, SecretStr, StringConstraints, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from auth.profiles.constants import (
    BIO_MAX_LENGTH,
    COMMON_PASSWORDS,
    CONTAINED_MIN_LENGTH,
    EMAIL_MAX_LENGTH,
    NAME_MAX_LENGTH,
    NAME_PATTERN,
    PASSWORD_MAX_LENGTH,
    PASSWORD_MIN_LENGTH,
    RESERVED_USERNAMES,
    USERNAME_PATTERN,
)
from auth.profiles.utils import normalize_email
from chassis.schemas import CustomModel, InputModel, UtcDatetime

Email = Annotated[EmailStr, Field(max_length=EMAIL_MAX_LENGTH), AfterValidator(normalize_email)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX_LENGTH, pattern=NAME_PATTERN),
]
Password = Annotated[SecretStr, Field(min_length=PASSWORD_MIN_LENGTH, max_length=PASSWORD_MAX_LENGTH)]


class ProfileCreate(InputModel):
    # A password is taken to the letter; names are stripped by their own type.
    model_config = ConfigDict(str_strip_whitespace=False)

    email: Email
    username: str = Field(pattern=USERNAME_PATTERN, min_length=3, max_length=30)
    first_name: Name
    last_name: Name
    # The last, because its rules look at the fields above.
    password: Password

    @field_validator("username")
    @classmethod
    def refuse_reserved_name(cls, username: str) -> str:
        if username.lower() in RESERVED_USERNAMES:
            raise PydanticCustomError("username_reserved", "This username is reserved")
        return username

    @field_validator("password")
    @classmethod
    def check_password_rules(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        """Each rule is a ValueError with a code of its own; none of them repeats the password."""
        text = password.get_secret_value().casefold()
        if len(set(text)) == 1:
            raise PydanticCustomError("password_repetitive", "The password is one character repeated")
        if text in COMMON_PASSWORDS:
            raise PydanticCustomError("password_too_common", "The password is one of the most common ones")
        if contains_name(text, info.data.get("username", "")):
            raise PydanticCustomError("password_contains_username", "The password contains the username")
        if contains_name(text, info.data.get("email", "")):
            raise PydanticCustomError("password_contains_email", "The password contains the e-mail address")
        return password


def contains_name(password: str, name: str) -> bool:
    """Whether a name, or an address in whole or up to its @, stands in a password, whatever its case."""
    part = name.partition("@")[0].casefold()
    return len(part) >= CONTAINED_MIN_LENGTH and part in password


class CreatorUpdate(InputModel):
    """How a creator is presented. What is left out is emptied: this replaces."""

    pen_name: Name | None = None
    bio: str | None = Field(default=None, max_length=BIO_MAX_LENGTH)


class ProfileRead(CustomModel):
    """What everybody sees."""

    id: UUID
    username: str = Field(max_length=30)
    first_name: str = Field(max_length=NAME_MAX_LENGTH)
    last_name: str = Field(max_length=NAME_MAX_LENGTH)
    is_creator: bool
    created_at: UtcDatetime


class ProfileMe(ProfileRead):
    """What one sees of oneself."""

    email: str = Field(max_length=EMAIL_MAX_LENGTH)
    is_confirmed: bool
    updated_at: UtcDatetime


class CreatorRead(ProfileRead):
    pen_name: str | None = Field(max_length=NAME_MAX_LENGTH)
    bio: str | None = Field(max_length=BIO_MAX_LENGTH)
