from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, Index, UniqueConstraint, and_, func, not_, or_, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base
from chassis.jobs.models import OPEN_STATES, JobMixin, JobState
from notifications.deliveries.constants import LEASE_SECONDS, MAX_ATTEMPTS, MAX_DOUBTS, DeliveryPolicy, EmailKind

KINDS = ", ".join(f"'{kind}'" for kind in EmailKind)
# In the words of its partial index: with parameters the planner could not tell that it applies.
BLANKABLE = "finished_at IS NOT NULL AND recipient <> ''"


class DeliveryEmail(JobMixin, Base):
    """One mail to one person. Everything that its bytes are made of is fixed when the row is inserted.

    `created_at` is the mail's Date. What says whom it went to is blanked when the mail has been over for some time;
    its dedupe key stays for ever. `dot_at` is when the worker was about to end the message: from then on the hop
    may have it.
    """

    MAX_ATTEMPTS: ClassVar[int] = MAX_ATTEMPTS
    LEASE: ClassVar[timedelta] = timedelta(seconds=LEASE_SECONDS)

    __tablename__ = "delivery_email"
    __table_args__ = (
        # What makes a mail single for ever: `kind:subject:recipient`.
        UniqueConstraint("dedupe_key"),
        UniqueConstraint("message_id"),
        # A job's states and `unknown`: at most once, and perhaps sent.
        CheckConstraint("state IN ('queued', 'running', 'done', 'dead', 'unknown')", name="state"),
        CheckConstraint(f"kind IN ({KINDS})", name="kind"),
        CheckConstraint("policy IN ('at_least_once', 'at_most_once')", name="policy"),
        # A line break in an address would be a second header.
        CheckConstraint("recipient !~ '[[:cntrl:]]'", name="recipient"),
        Index("delivery_email_recipient_id_created_at_id_idx", "recipient_id", "created_at", "id"),
        Index(None, "next_at", postgresql_where=text(OPEN_STATES)),
        Index(None, "finished_at", postgresql_where=text(BLANKABLE)),
    )

    dedupe_key: Mapped[str]
    message_id: Mapped[str]
    kind: Mapped[str]
    recipient_id: Mapped[UUID]
    recipient: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    policy: Mapped[str]
    dot_at: Mapped[datetime | None]
    doubts: Mapped[int] = mapped_column(server_default="0")
    """How often it was sent again though it may have been sent."""
    smtp_reply: Mapped[str | None]


IS_AMBIGUOUS: ColumnElement[bool] = and_(
    DeliveryEmail.state == JobState.RUNNING,
    DeliveryEmail.lease_ends_at < func.now(),
    DeliveryEmail.dot_at.is_not(None),
)
"""Nobody knows whether the hop took it: the dot was announced, and no word came since."""

IS_TO_BE_PARKED: ColumnElement[bool] = and_(
    IS_AMBIGUOUS,
    or_(DeliveryEmail.policy == DeliveryPolicy.AT_MOST_ONCE, DeliveryEmail.doubts >= MAX_DOUBTS),
)
MAY_BE_SENT: ColumnElement[bool] = not_(func.coalesce(IS_TO_BE_PARKED, False))
