from pydantic import Field

from auth.profiles.constants import BIO_MAX_LENGTH, NAME_MAX_LENGTH
from auth.profiles.schemas import Name, ProfileRead
from chassis.schemas import InputModel


class CreatorUpdate(InputModel):
    """How a creator is presented. What is left out is emptied: this replaces."""

    pen_name: Name | None = None
    bio: str | None = Field(default=None, max_length=BIO_MAX_LENGTH)


class CreatorRead(ProfileRead):
    pen_name: str | None = Field(max_length=NAME_MAX_LENGTH)
    bio: str | None = Field(max_length=BIO_MAX_LENGTH)
