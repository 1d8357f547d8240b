from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId


class LoginLock(HasId, Base):
    """An account that unknown devices guess at is closed to them for a while. Its owner is to be told.

    Written without an owner as well, where the address is nobody's: a request must not tell by its time.
    """

    __tablename__ = "login_lock"

    profile_id: Mapped[UUID | None] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    told_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
