from uuid import UUID

from pydantic import Field

from auth.apps.constants import MAX_SCOPES, NAME_MAX_LENGTH, WEBSITE_MAX_LENGTH
from chassis.schemas import CustomModel, UtcDatetime


class ConsentRead(CustomModel):
    """An app of somebody else that one has let in."""

    client_id: UUID
    name: str = Field(max_length=NAME_MAX_LENGTH)
    website: str | None = Field(max_length=WEBSITE_MAX_LENGTH)
    scopes: list[str] = Field(max_length=MAX_SCOPES)
    created_at: UtcDatetime
    updated_at: UtcDatetime = Field(description="When it was last let do more.")
