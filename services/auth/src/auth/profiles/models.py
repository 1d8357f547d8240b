from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
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
    version: Mapped[int] = mapped_column(server_default=text("1"))


# Unique without case; a username is ASCII, so this needs no collation.
Index("profile_username_lower_idx", func.lower(Profile.username), unique=True)


class Account(HasTimestamps, Base):
    """The private side of the same user: how they log in."""

    __tablename__ = "profile_account"

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    confirmed_at: Mapped[datetime | None]
