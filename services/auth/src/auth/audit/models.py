from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId
from chassis.events.outbox import Xid8


class AuditEntry(HasId, Base):
    """Something that happened. Written once: triggers refuse to change or delete it, and what follows is linked to it.

    It names people by their ids alone, which mean nothing once an account is gone.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        # Named by hand: by the convention the names would be longer than PostgreSQL takes.
        Index("audit_entry_xid_id_idx", "xid", "id"),
        Index("audit_entry_subject_id_created_at_id_idx", "subject_id", "created_at", "id"),
        Index("audit_entry_actor_id_created_at_id_idx", "actor_id", "created_at", "id"),
        Index("audit_entry_action_created_at_id_idx", "action", "created_at", "id"),
        Index("audit_entry_created_at_id_idx", "created_at", "id"),
    )

    action: Mapped[str]
    subject_id: Mapped[UUID | None]
    """Whose account it is about."""
    actor_id: Mapped[UUID | None]
    """Who did it; null for the platform itself."""
    address: Mapped[str | None]
    """The network that it was done from."""
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    xid: Mapped[int] = mapped_column(Xid8, server_default=func.pg_current_xact_id())


class AuditLink(Base):
    """The chain: each link's hash covers its entry and the hash of the one before."""

    __tablename__ = "audit_link"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("audit_entry.id"), unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
