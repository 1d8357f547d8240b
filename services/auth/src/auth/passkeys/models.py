from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId


class Passkey(HasId, Base):
    """A WebAuthn credential. What is here verifies, and can sign nothing."""

    __tablename__ = "passkey"

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    """As the authenticator told it last. Those that sync between devices count nothing: theirs stays at zero."""
    is_synced: Mapped[bool]
    name: Mapped[str | None]
    """What its owner calls it."""
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PasskeyChallenge(Base):
    """What an authenticator is asked to sign. Gone once it comes back."""

    __tablename__ = "passkey_challenge"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    profile_id: Mapped[UUID | None] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    """Who is to register a passkey with it; null where somebody is to prove who they are."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
