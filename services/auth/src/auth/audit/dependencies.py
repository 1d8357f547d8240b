from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from auth.audit.constants import AuditAction
from chassis.schemas import CustomModel, UtcDatetime


class AuditFilter(CustomModel):
    subject_id: UUID | None = None
    actor_id: UUID | None = None
    action: AuditAction | None = None
    since: UtcDatetime | None = None
    until: UtcDatetime | None = None


async def parse_audit_filter(
    subject_id: Annotated[UUID | None, Query(description="Whose account it is about.")] = None,
    actor_id: Annotated[UUID | None, Query(description="Who did it.")] = None,
    action: AuditAction | None = None,
    since: Annotated[UtcDatetime | None, Query(description="From this moment on.")] = None,
    until: Annotated[UtcDatetime | None, Query(description="Before this moment.")] = None,
) -> AuditFilter:
    return AuditFilter(subject_id=subject_id, actor_id=actor_id, action=action, since=since, until=until)


AuditFilterDep = Annotated[AuditFilter, Depends(parse_audit_filter)]
