from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from auth.exports import constants
from chassis.database.models import Base
from chassis.jobs.models import OPEN_STATES, JobMixin


class Export(JobMixin, Base):
    """The job that collects what all services know of somebody. They have one archive at most, and one job."""

    __tablename__ = "export"
    MAX_ATTEMPTS: ClassVar[int] = constants.MAX_ATTEMPTS

    profile_id: Mapped[UUID] = mapped_column(ForeignKey("profile.id", ondelete="CASCADE"), index=True)
    size: Mapped[int | None]
    """Of the archive, in bytes."""
    expires_at: Mapped[datetime | None]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            *cls.get_job_arguments(),
            # What makes it one at a time, however many ask at once.
            Index("export_open_idx", "profile_id", unique=True, postgresql_where=text(OPEN_STATES)),
        )


class ExportChunk(Base):
    """A piece of the archive: none of them is more than a request can hold."""

    __tablename__ = "export_chunk"

    export_id: Mapped[UUID] = mapped_column(ForeignKey("export.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
