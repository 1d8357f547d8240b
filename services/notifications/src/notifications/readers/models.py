from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasTimestamps


class Reader(HasTimestamps, Base):
    """What this service knows of a person, from the events of auth.

    The two events about a person may come in any order: the row begins with whichever is first, so the address is
    null as long as only the confirmation is known.
    """

    __tablename__ = "reader"
    # A line break in an address would be a second header of the mail: refused where addresses come in.
    __table_args__ = (
        CheckConstraint("email !~ '[[:cntrl:]]'", name="email"),
        Index(None, "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    username: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    is_confirmed: Mapped[bool] = mapped_column(server_default="false")
    is_banned: Mapped[bool] = mapped_column(server_default="false")
    ban_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Number of the event that `is_banned` is from: an older one that was dead, and is replayed, changes nothing."""
    deleted_at: Mapped[datetime | None]
    """What follows from older events for who is gone is undone by this row, which names nobody."""
    seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Number of the event that name and address are from; older ones change nothing."""


class ReaderFollow(HasTimestamps, Base):
    """Who follows whom, from the events of posts. The follower need not be known as a reader yet.

    An unfollowed row stays, because its `seq` is what tells an older event from a newer one. Fan-out reads a range of
    the primary key.
    """

    __tablename__ = "reader_follow"
    creator_id: Mapped[UUID] = mapped_column(primary_key=True)
    follower_id: Mapped[UUID] = mapped_column(primary_key=True)
    is_following: Mapped[bool]
    seq: Mapped[int] = mapped_column(BigInteger)
