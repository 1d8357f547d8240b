from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId


class LoginSession(HasId, Base):
    """A login and the family of refresh tokens that descends from it. `generation` is the newest one's."""

    __tablename__ = "session"

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[str]
    scope: Mapped[str]
    amr: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    acr: Mapped[str]
    generation: Mapped[int] = mapped_column(server_default=text("0"))
    name: Mapped[str | None]
    """What its owner calls it."""
    user_agent: Mapped[str | None]
    address: Mapped[str | None]
    """Without its last part: enough to recognise oneself, too little to follow somebody."""
    authenticated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    idle_ends_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


ended_at = func.least(LoginSession.revoked_at, LoginSession.expires_at, LoginSession.idle_ends_at)
Index("session_ended_at_idx", ended_at)


class RefreshToken(Base):
    """The primary key is what makes a family one line: a generation has one token, however many ask for it at once."""

    __tablename__ = "session_refresh"

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SessionRevocation(Base):
    """What all services are told, until no access token of the session can be left. It outlives the session.

    A signing key that was withdrawn is told of as if it were one.
    """

    __tablename__ = "session_revocation"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    revoked_at: Mapped[datetime] = mapped_column(index=True)
