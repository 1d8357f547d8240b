from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base


class AppCode(Base):
    """What an app gets by way of the person's browser, and redeems for tokens."""

    __tablename__ = "app_code"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), index=True)
    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    redirect_uri: Mapped[str | None]
    """As it was asked for; None where the app left it to its registration."""
    scope: Mapped[str]
    code_challenge: Mapped[str]
    amr: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    acr: Mapped[str]
    authenticated_at: Mapped[datetime]
    login_id: Mapped[UUID]
    """The session in which the person let the app in; when it has ended, the code is worth nothing."""
    session_id: Mapped[UUID | None]
    """What it was redeemed for."""
    used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
