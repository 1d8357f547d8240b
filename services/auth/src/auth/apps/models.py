from sqlalchemy import LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.models import Base, HasId, HasTimestamps


class App(HasId, HasTimestamps, Base):
    """An app of somebody else, which people can let do this or that for them. Its id is its `client_id`."""

    __tablename__ = "app"

    name: Mapped[str]
    website: Mapped[str | None]
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    """All that it may ask for."""
    secret_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """None for a public one, which could not keep a secret. One round of SHA-256: it is random and long."""
    version: Mapped[int] = mapped_column(server_default=text("1"))
