from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from chassis.database.models import Base
from chassis.jobs.models import JobMixin
from chassis.jobs.sources import JobSource
from posts.renderings.constants import RENDER_QUEUE, RENDER_TASK


class PostRendering(JobMixin, Base):
    """The job of making HTML of one version of a post."""

    __tablename__ = "post_rendering"

    # Twice what the worker may take before it is stopped.
    LEASE: ClassVar[timedelta] = timedelta(minutes=1)

    post_id: Mapped[UUID] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"))
    version: Mapped[int]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            *cls.get_job_arguments(),
            UniqueConstraint("post_id", "version"),
            # Few, and looked for every few seconds.
            Index("post_rendering_dead_idx", "post_id", postgresql_where=text("state = 'dead'")),
            # For their deletion: open ones have no such moment.
            Index(None, "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
        )


RENDERINGS = JobSource(PostRendering, RENDER_TASK, RENDER_QUEUE)
