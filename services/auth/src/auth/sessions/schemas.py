from uuid import UUID

from pydantic import Field

from auth.sessions.constants import ADDRESS_MAX_LENGTH, NAME_MAX_LENGTH, USER_AGENT_MAX_LENGTH
from chassis.schemas import CustomModel, InputModel, UtcDatetime


class SessionRead(CustomModel):
    """One's own login on one device."""

    id: UUID
    name: str | None = Field(max_length=NAME_MAX_LENGTH)
    client_id: str = Field(max_length=64, description="The app; `broadsheet` for our own.")
    user_agent: str | None = Field(max_length=USER_AGENT_MAX_LENGTH)
    address: str | None = Field(max_length=ADDRESS_MAX_LENGTH, description="The network it was last used from.")
    amr: list[str] = Field(max_length=10, description="How the login was proved (RFC 8176).")
    acr: str = Field(max_length=10)
    is_current: bool = Field(description="The one that asks.")
    created_at: UtcDatetime
    used_at: UtcDatetime
    expires_at: UtcDatetime


class SessionUpdate(InputModel):
    name: str | None = Field(min_length=1, max_length=NAME_MAX_LENGTH, pattern=r"^[^\x00-\x1f\x7f]+$")
