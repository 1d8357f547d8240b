from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from auth.confirmations.constants import Purpose
from chassis.database.models import Base, HasId

PURPOSES = ", ".join(f"'{purpose}'" for purpose in Purpose)


class Confirmation(HasId, Base):
    """A proof of an e-mail address that is asked for. Of its token only the digest is here."""

    __tablename__ = "confirmation"
    __table_args__ = (CheckConstraint(f"purpose IN ({PURPOSES})", name="purpose"),)

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str]
    address: Mapped[str | None]
    """The new one, where an address is to change."""
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    confirmed_at: Mapped[datetime | None]
