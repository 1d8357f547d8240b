from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.context import get_traceparent
from chassis.database.models import Base, HasId


class FanOut(HasId, Base):
    """What followers behind `after_id` have still to be told. The row goes when all of them have been."""

    __tablename__ = "notification_fan_out"

    creator_id: Mapped[UUID]
    after_id: Mapped[UUID]
    """The last follower who was told, in the order of their ids."""
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    title: Mapped[str]
    text: Mapped[str]
    link: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    traceparent: Mapped[str | None] = mapped_column(default=get_traceparent)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
