from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.keys.constants import KeyState
from chassis.database.models import Base, HasId

STATES = ", ".join(f"'{state}'" for state in KeyState)


class KeyPair(HasId, Base):
    """An Ed25519 key pair that signs tokens; its id is their `kid`. The private half is encrypted by Fernet."""

    __tablename__ = "key_pair"
    __table_args__ = (
        CheckConstraint(f"state IN ({STATES})", name="state"),
        # Only one signs, and one is the next, however many start or rotate at once.
        Index(None, "state", unique=True, postgresql_where=text("state <> 'retired'")),
    )

    state: Mapped[str]
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    encrypted_private_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    activated_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
