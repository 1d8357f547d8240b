from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel


class AccountProfile(CustomModel):
    """What auth shows to everybody of a profile, as far as it is needed here."""

    id: UUID
    username: str = Field(max_length=200)
    first_name: str = Field(max_length=200)
    last_name: str = Field(max_length=200)
    avatar_url: str | None = Field(default=None, max_length=200)
    is_creator: bool
