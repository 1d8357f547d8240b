from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from auth.profiles.constants import NAME_MAX_LENGTH, NAME_PATTERN, RESERVED_USERNAMES, USERNAME_PATTERN
from chassis.schemas import CustomModel, UtcDatetime

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX_LENGTH, pattern=NAME_PATTERN),
]


def refuse_reserved_name(username: str) -> str:
    if username.lower() in RESERVED_USERNAMES:
        raise PydanticCustomError("username_reserved", "This username is reserved")
    return username


Username = Annotated[
    str, Field(pattern=USERNAME_PATTERN, min_length=3, max_length=30), AfterValidator(refuse_reserved_name)
]


class ProfileRead(CustomModel):
    """What everybody sees."""

    id: UUID
    username: str = Field(max_length=30)
    first_name: str = Field(max_length=NAME_MAX_LENGTH)
    last_name: str = Field(max_length=NAME_MAX_LENGTH)
    is_creator: bool
    created_at: UtcDatetime
