from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasTimestamps


class Account(HasTimestamps, Base):
    """The private side of a user: how they log in, and what they may do.

    An address may stand in several accounts, of which at most one has confirmed it: whoever signs up learns nothing
    about others, and nobody can keep an address from its owner.
    """

    __tablename__ = "account"
    __table_args__ = (
        Index("account_confirmed_email_idx", "email", unique=True, postgresql_where=text("confirmed_at IS NOT NULL")),
        # Few of all: what staff look for.
        Index("account_waiting_idx", "profile_id", postgresql_where=text("confirmed_at IS NULL")),
        Index("account_banned_idx", "profile_id", postgresql_where=text("banned_at IS NOT NULL")),
        Index("account_roles_idx", "roles", postgresql_using="gin", postgresql_where=text("roles <> '{}'")),
    )

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str] = mapped_column(index=True)
    password_hash: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    second_factors: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    """The methods that a login asks for beside the password, if there are any. Here, so that one lock covers them."""
    banned_at: Mapped[datetime | None]
    ban_reason: Mapped[str | None]
