from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from auth.avatars.constants import LEASE
from chassis.database.models import Base
from chassis.jobs.models import JobMixin


class Avatar(JobMixin, Base):
    """An upload, and the job that makes an avatar of it. Somebody has two at most: the one shown, and the newest."""

    __tablename__ = "avatar"
    LEASE = LEASE

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    error_code: Mapped[str | None]
    # Large, and of use to few who look at the row.
    source: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """As it was uploaded, with all that a camera writes into it: gone as soon as it is of no more use."""
    small: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    large: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
