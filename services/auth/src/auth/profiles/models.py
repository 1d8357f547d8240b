from datetime import datetime

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId, HasTimestamps


class Profile(HasId, HasTimestamps, Base):
    """What others see of a user. `version` counts every change of the user, and orders the events that tell of them."""

    __tablename__ = "profile"

    username: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    is_creator: Mapped[bool] = mapped_column(server_default=text("false"))
    pen_name: Mapped[str | None]
    bio: Mapped[str | None]
    hidden_at: Mapped[datetime | None]
    """Nobody else sees it while its owner is banned, or has not confirmed their address."""
    version: Mapped[int] = mapped_column(server_default=text("1"))


# Unique without case; a username is ASCII, so this needs no collation.
Index("profile_username_lower_idx", func.lower(Profile.username), unique=True)
# By bytes, so that names with the same beginning stand together, whatever the database's own order.
Index(
    "profile_username_order_idx",
    func.lower(Profile.username).label("name"),
    postgresql_ops={"name": "text_pattern_ops"},
)
Index("profile_created_at_id_idx", Profile.created_at, Profile.id)
