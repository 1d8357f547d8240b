from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    func,
    literal_column,
)
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId, HasTimestamps
from posts.creators.constants import LAST_SEQ

# As text in the statement: with a parameter in its place the planner cannot use the partial index.
IS_GONE: ColumnElement[bool] = literal_column(f"profile_seq = {LAST_SEQ}", Boolean())


class Creator(Base):
    """A projection of all profiles, kept by auth's events: whoever writes, and whoever reviews."""

    __tablename__ = "creator"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    avatar_url: Mapped[str | None]
    is_creator: Mapped[bool] = mapped_column(server_default="false")
    hidden_at: Mapped[datetime | None]
    """While somebody is banned, and once they are gone: nobody sees their posts. Their reviews stay, and count."""
    hidden_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Number of the event that `hidden_at` is from: an older one that was dead, and is replayed, changes nothing."""
    profile_seq: Mapped[int] = mapped_column(BigInteger)
    """Number of the last event of the profile that was applied; older ones change nothing."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("creator_gone_idx", "hidden_at", postgresql_where=IS_GONE),)


class CreatorFollower(HasId, HasTimestamps, Base):
    """Stays after an unfollow, so that its version keeps the events of the two in order."""

    __tablename__ = "creator_follower"
    __table_args__ = (
        UniqueConstraint("creator_id", "follower_id"),
        Index("creator_follower_follower_id_created_at_id_idx", "follower_id", "created_at", "id"),
        CheckConstraint("creator_id <> follower_id", name="not_self"),
    )

    creator_id: Mapped[UUID] = mapped_column(ForeignKey("creator.id"))
    # Without a foreign key: the event of the follower's profile may still be on its way.
    follower_id: Mapped[UUID]
    is_following: Mapped[bool] = mapped_column(server_default="true")
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
