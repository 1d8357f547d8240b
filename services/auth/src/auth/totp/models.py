from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base


class TotpSecret(Base):
    """What an authenticator app, which has proved itself by a first code, is checked with; encrypted by Fernet."""

    __tablename__ = "totp_secret"

    factor_id: Mapped[UUID] = mapped_column(ForeignKey("mfa_factor.id", ondelete="CASCADE"), primary_key=True)
    encrypted_secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger)
    """The newest time step of which a code was taken: none up to it works again."""


class TotpEnrolment(Base):
    """A secret that was shown and waits for its first code; one at a time, and the account is as before."""

    __tablename__ = "totp_enrolment"

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True)
    encrypted_secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
