from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from auth.mfa.constants import Method
from chassis.database.models import Base, HasId

METHODS = ", ".join(f"'{method}'" for method in (Method.TOTP, Method.PASSKEY))


class Factor(HasId, Base):
    """A second factor that is on. What it is checked with is kept by the feature of its method, and goes with it."""

    __tablename__ = "mfa_factor"
    __table_args__ = (CheckConstraint(f"method IN ({METHODS})", name="method"),)

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    method: Mapped[str]
    name: Mapped[str | None]
    """What its owner calls it."""
    used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class MfaChallenge(Base):
    """Somebody has brought the right password, and is asked for more. Gone once it is met."""

    __tablename__ = "mfa_challenge"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    device_id: Mapped[UUID]
    password_digest: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the hash that was checked: with another password it is worth nothing any more."""
    is_on_known_device: Mapped[bool]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RecoveryCode(Base):
    """One that is left. Used, it is deleted."""

    __tablename__ = "mfa_recovery_code"

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
