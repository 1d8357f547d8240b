"""The hot reads of the log: one statement each, over indexes that hold at millions of entries."""

from typing import Any

from sqlalchemy import DateTime, Text, and_, bindparam, case, null, or_, select

from auth.audit.models import AuditEntry
from chassis.database.queries import json_object, rfc3339
from chassis.pagination import PageQuery

_ID = AuditEntry.subject_id.type
_IS_OWN = AuditEntry.actor_id == AuditEntry.subject_id
_PLACE: dict[str, Any] = {"moment": AuditEntry.created_at, "item_id": AuditEntry.id}

OWN_AUDIT = PageQuery(
    "own-audit",
    select(AuditEntry).where(AuditEntry.subject_id == bindparam("profile_id", type_=_ID)),
    item=json_object(
        id=AuditEntry.id,
        action=AuditEntry.action,
        by_staff=and_(AuditEntry.actor_id.is_not(None), ~_IS_OWN),
        # Where a member of staff sits is nobody's business.
        address=case((_IS_OWN, AuditEntry.address), else_=null()),
        device=AuditEntry.details["device"].astext,
        created_at=rfc3339(AuditEntry.created_at),
    ),
    **_PLACE,
)


def _build_audit(*names: str) -> PageQuery:
    """With only the filters that are asked for, so that each has its index."""
    filters: dict[str, Any] = {
        "subject_id": AuditEntry.subject_id == bindparam("subject_id", type_=_ID),
        "actor_id": AuditEntry.actor_id == bindparam("actor_id", type_=_ID),
        "action": AuditEntry.action == bindparam("action", type_=Text()),
    }
    moment = DateTime(timezone=True)
    since, until = bindparam("since", type_=moment), bindparam("until", type_=moment)
    return PageQuery(
        "audit",
        select(AuditEntry).where(
            *(filters[name] for name in names),
            or_(since.is_(None), AuditEntry.created_at >= since),
            or_(until.is_(None), AuditEntry.created_at < until),
        ),
        item=json_object(
            id=AuditEntry.id,
            action=AuditEntry.action,
            subject_id=AuditEntry.subject_id,
            actor_id=AuditEntry.actor_id,
            address=AuditEntry.address,
            details=AuditEntry.details,
            created_at=rfc3339(AuditEntry.created_at),
        ),
        **_PLACE,
    )


FILTERS = ("subject_id", "actor_id", "action")
AUDIT: dict[tuple[str, ...], PageQuery] = {
    names: _build_audit(*names)
    for names in (
        (),
        ("subject_id",),
        ("actor_id",),
        ("action",),
        ("subject_id", "actor_id"),
        ("subject_id", "action"),
        ("actor_id", "action"),
        FILTERS,
    )
}
"""By the names of the filters that are set."""
