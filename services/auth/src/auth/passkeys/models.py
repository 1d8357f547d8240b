from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base


class Passkey(Base):
    """The WebAuthn credential of a second factor. What is here verifies, and can sign nothing."""

    __tablename__ = "passkey"

    factor_id: Mapped[UUID] = mapped_column(ForeignKey("mfa_factor.id", ondelete="CASCADE"), primary_key=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    """As the authenticator told it last. Those that sync between devices count nothing: theirs stays at zero."""
    is_synced: Mapped[bool]


class PasskeyChallenge(Base):
    """What an authenticator is asked to sign. Gone once it comes back."""

    __tablename__ = "passkey_challenge"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    profile_id: Mapped[UUID | None] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    """Who is to register a passkey with it; null where somebody is to prove who they are."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
