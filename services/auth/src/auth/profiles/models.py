from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from auth.profiles.constants import AVATAR_PATH
from chassis.database.models import Base, HasId, HasTimestamps


class Profile(HasId, HasTimestamps, Base):
    """Who a user is to others, and how they like to be addressed.

    `version` counts every change of the user, and orders the events that tell of them.
    """

    __tablename__ = "profile"

    username: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    is_creator: Mapped[bool] = mapped_column(server_default=text("false"))
    pen_name: Mapped[str | None]
    bio: Mapped[str | None]
    website: Mapped[str | None]
    language: Mapped[str | None]
    """BCP 47. It and the time zone are shown to nobody else."""
    time_zone: Mapped[str | None]
    avatar_id: Mapped[UUID | None]
    """The one that is shown."""
    hidden_at: Mapped[datetime | None]
    """Nobody else sees it while its owner is banned, or has not confirmed their address."""
    version: Mapped[int] = mapped_column(server_default=text("1"))

    @property
    def avatar_url(self) -> str | None:
        return None if self.avatar_id is None else f"{AVATAR_PATH}/{self.id}/avatars/{self.avatar_id}"


class FormerUsername(Base):
    """A name that somebody gave up leads to them, and is nobody else's, as long as they have an account."""

    __tablename__ = "profile_former_username"

    name: Mapped[str] = mapped_column(primary_key=True)
    """In lower case."""
    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    given_up_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RetiredUsername(Base):
    """A name of an account that was deleted is never given again: nobody shall be taken for who is gone.

    Only its digest is kept, with no word of whose it was. Who guesses a name can test it, as they can by signing up.
    """

    __tablename__ = "profile_retired_username"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


# Unique without case; a username is ASCII, so this needs no collation.
Index("profile_username_lower_idx", func.lower(Profile.username), unique=True)
# By bytes, so that names with the same beginning stand together, whatever the database's own order.
Index(
    "profile_username_order_idx",
    func.lower(Profile.username).label("name"),
    postgresql_ops={"name": "text_pattern_ops"},
)
Index("profile_created_at_id_idx", Profile.created_at, Profile.id)
