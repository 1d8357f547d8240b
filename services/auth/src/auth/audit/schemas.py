from uuid import UUID

from pydantic import Field

from auth.audit.constants import DETAIL_MAX_LENGTH, AuditAction
from chassis.schemas import CustomModel, UtcDatetime


class OwnAuditRead(CustomModel):
    """Something that happened to one's own account."""

    id: UUID
    action: AuditAction
    by_staff: bool = Field(description="Whether somebody else did it.")
    address: str | None = Field(max_length=50, description="The network it was done from; of oneself alone.")
    device: str | None = Field(max_length=DETAIL_MAX_LENGTH)
    created_at: UtcDatetime


class AuditRead(CustomModel):
    """For staff."""

    id: UUID
    action: AuditAction
    subject_id: UUID | None
    actor_id: UUID | None
    address: str | None = Field(max_length=50)
    details: dict[str, str]
    created_at: UtcDatetime
