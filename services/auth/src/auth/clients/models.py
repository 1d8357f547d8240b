from sqlalchemy import LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasTimestamps


class Client(HasTimestamps, Base):
    """A service that may ask for tokens of its own. Its id is the name it is known by."""

    __tablename__ = "client"

    id: Mapped[str] = mapped_column(primary_key=True)
    # One round of SHA-256 is enough: the secret is random and long, not a password.
    secret_digest: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
