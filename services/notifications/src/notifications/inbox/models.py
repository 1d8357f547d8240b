from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId
from notifications.inbox.constants import NotificationKind

# In the words of their index: the planner must see that it applies.
AUTHOR = "COALESCE(data ->> 'creator_id', data ->> 'reviewer_id')"
IS_ABOUT_SOMEBODY = "kind IN ('post_published', 'review_created')"
KINDS = ", ".join(f"'{kind}'" for kind in NotificationKind)


class Notification(HasId, Base):
    """One line in the inbox of one reader; the reader's projection need not be there yet."""

    __tablename__ = "notification"
    __table_args__ = (
        # What makes the effect of an event single: a post published again, an event replayed.
        UniqueConstraint("recipient_id", "kind", "subject_id"),
        CheckConstraint(f"kind IN ({KINDS})", name="kind"),
        # Named by hand: by the convention, both would bear the same name, and it would be cut at 63 characters.
        Index("notification_inbox_idx", "recipient_id", "created_at", "id"),
        # The unread count is read from here, exact by itself, and so is the list of the unread (README).
        Index("notification_unread_idx", "recipient_id", "created_at", "id", postgresql_where=text("read_at IS NULL")),
        # Whom others were told of, to forget them: few look for it, but then there may be very many.
        Index("notification_author_idx", text(AUTHOR), postgresql_where=text(IS_ABOUT_SOMEBODY)),
    )

    recipient_id: Mapped[UUID]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    """What it is about: a user, a post or a review, by kind."""
    title: Mapped[str]
    text: Mapped[str]
    link: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    read_at: Mapped[datetime | None]
