from pydantic import Field

from auth.profiles.constants import NAME_MAX_LENGTH
from auth.profiles.schemas import Bio, Name, ProfileRead
from chassis.schemas import InputModel


class CreatorUpdate(InputModel):
    """How a creator is presented. What is left out is emptied: this replaces."""

    pen_name: Name | None = None
    bio: Bio | None = None


class CreatorRead(ProfileRead):
    pen_name: str | None = Field(max_length=NAME_MAX_LENGTH)
