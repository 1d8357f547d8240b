from uuid import UUID

from pydantic import Field, JsonValue

from chassis.schemas import CustomModel, UtcDatetime
from notifications.inbox.constants import LINK_MAX_LENGTH, TEXT_MAX_LENGTH, TITLE_MAX_LENGTH, NotificationKind


class NotificationRead(CustomModel):
    """One line of a reader's inbox. All text is plain: escape it where it is shown."""

    id: UUID
    kind: NotificationKind
    title: str = Field(max_length=TITLE_MAX_LENGTH)
    text: str = Field(max_length=TEXT_MAX_LENGTH)
    link: str = Field(max_length=LINK_MAX_LENGTH, description="Where it leads, relative to the gateway.")
    data: dict[str, JsonValue] = Field(description="The ids and names that the title is made of, by kind.")
    created_at: UtcDatetime
    read_at: UtcDatetime | None


class UnreadCount(CustomModel):
    unread_count: int = Field(ge=0, le=2**63 - 1)
