from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel
from posts.creators.constants import NAME_MAX_LENGTH, URL_MAX_LENGTH


class ProfileSummary(CustomModel):
    """Who somebody is, as it stands in what they wrote."""

    id: UUID
    username: str = Field(max_length=NAME_MAX_LENGTH)
    first_name: str = Field(max_length=NAME_MAX_LENGTH)
    last_name: str = Field(max_length=NAME_MAX_LENGTH)
    avatar_url: str | None = Field(max_length=URL_MAX_LENGTH, description="Relative to the address of the platform.")


class CreatorRead(ProfileSummary):
    is_creator: bool
