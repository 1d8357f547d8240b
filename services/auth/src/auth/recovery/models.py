from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId


class RecoveryRequest(HasId, Base):
    """Somebody asks for a mail. Whether the address is anybody's is looked up later, where nobody can measure it."""

    __tablename__ = "recovery_request"

    email: Mapped[str]
    purpose: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
