from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId


class TokenSession(HasId, Base):
    """A login and the family of refresh tokens that descends from it. `generation` is the newest one's."""

    __tablename__ = "token_session"

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    generation: Mapped[int] = mapped_column(server_default=text("0"))
    authenticated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


ended_at = func.least(TokenSession.revoked_at, TokenSession.expires_at)
Index("token_session_ended_at_idx", ended_at)


class RefreshToken(Base):
    """The primary key is what makes a family one line: a generation has one token, however many ask for it at once."""

    __tablename__ = "token_refresh"

    session_id: Mapped[UUID] = mapped_column(ForeignKey("token_session.id", ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
