"""The consumer's tables: how far it is, what it has applied, what it could not apply."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base


class FeedCursor(Base):
    """The last event applied of a feed. Its lock makes one of several consumers work."""

    __tablename__ = "feed_cursor"

    feed: Mapped[str] = mapped_column(primary_key=True)
    xid: Mapped[int] = mapped_column(BigInteger, server_default="0")
    id: Mapped[int] = mapped_column(BigInteger, server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0", doc="Begun since the cursor moved, crashes included.")


class InboxEvent(Base):
    """The key makes a second delivery do nothing. Kept longer than the outbox, or a replay would apply twice."""

    __tablename__ = "inbox_event"
    __table_args__ = (Index(None, "received_at", postgresql_using="brin"),)

    consumer: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DeadEvent(Base):
    """An event that could not be applied, kept with its cause until somebody replays it."""

    __tablename__ = "inbox_dead_event"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    envelope: Mapped[dict[str, Any]] = mapped_column(JSONB)
    error: Mapped[str]
    attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
