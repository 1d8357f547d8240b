"""The producer's side: an event is a row in the transaction of the change it tells of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from chassis.context import get_traceparent
from chassis.contracts.base import Event
from chassis.database.models import Base


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, which SQLAlchemy does not bring."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "XID8"


# Without this, reflection (Alembic's drift check) warns of a type it does not know.
ischema_names["xid8"] = Xid8


class OutboxEvent(Base):
    """Partitioned by day; created by `chassis.events.ddl.create_outbox`, not by autogenerate.

    `xid` is the writing transaction: the feed serves only what no open transaction can still get in front of.
    Uniqueness of `event_id` is the consumer's inbox to hold: a partitioned table cannot.
    """

    __tablename__ = "outbox_event"
    __table_args__ = (Index(None, "xid", "id"), {"postgresql_partition_by": "RANGE (created_at)"})
    # Nobody reads an event back after writing it.
    __mapper_args__ = {"eager_defaults": False}  # noqa: RUF012 - SQLAlchemy declares it so

    created_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True, autoincrement=True)
    event_id: Mapped[UUID] = mapped_column(server_default=func.uuidv7())
    aggregate_id: Mapped[UUID]
    aggregate_seq: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str]
    version: Mapped[int]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    traceparent: Mapped[str | None]
    xid: Mapped[int] = mapped_column(Xid8, server_default=func.pg_current_xact_id())


async def emit_event(session: AsyncSession, event: Event, *, aggregate_id: UUID, aggregate_seq: int) -> None:
    """Tell the event if, and only if, this transaction commits. `aggregate_seq` grows with the aggregate's changes."""
    session.add(
        OutboxEvent(
            aggregate_id=aggregate_id,
            aggregate_seq=aggregate_seq,
            type=event.type,
            version=event.version,
            payload=event.model_dump(mode="json"),
            traceparent=get_traceparent(),
        )
    )
