from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from chassis.database.models import Base, HasId, HasTimestamps
from chassis.jobs.models import JobMixin
from posts.creators.models import Creator
from posts.posts.constants import PostStatus

PUBLISHED = literal_column("'published'", Text())
"""As text in the statement: with a parameter in its place the planner cannot use the partial indexes."""


@dataclass(frozen=True, slots=True)
class PostRating:
    average: Decimal | None
    count: int


class Post(HasId, HasTimestamps, Base):
    __tablename__ = "post"

    creator_id: Mapped[UUID] = mapped_column(ForeignKey("creator.id"))
    title: Mapped[str]
    body: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=PostStatus.DRAFT)
    version: Mapped[int] = mapped_column(server_default="1")
    """Of title and body. What readers do to a post, and its publication, do not count."""
    html: Mapped[str | None]
    excerpt: Mapped[str | None]
    rendered_version: Mapped[int | None]
    """The version that `html` and `excerpt` are of. Behind `version` while a new one is being rendered."""
    publication_error: Mapped[str | None]
    published_at: Mapped[datetime | None]
    """Of the first publication, the only one that is told: published again, a post keeps its place in the lists."""
    rating_count: Mapped[int] = mapped_column(server_default="0")
    rating_sum: Mapped[int] = mapped_column(BigInteger, server_default="0")
    rating_average: Mapped[Decimal | None] = mapped_column(
        Numeric(3, 2), Computed("round((rating_sum)::numeric / (NULLIF(rating_count, 0))::numeric, 2)", persisted=True)
    )

    creator: Mapped[Creator] = relationship(lazy="raise")

    __table_args__ = (
        CheckConstraint("status in ('draft', 'publishing', 'published')", name="status"),
        CheckConstraint(
            "status <> 'published' or (html is not null and excerpt is not null and published_at is not null)",
            name="published_is_rendered",
        ),
        # Of one person, whatever the status: for an export, and for a deletion.
        Index("post_creator_id_created_at_id_idx", "creator_id", "created_at", "id"),
        # The two lists, newest first. Both are read backwards, so neither needs DESC.
        Index("post_published_at_id_idx", "published_at", "id", postgresql_where=status == PUBLISHED),
        Index(
            "post_creator_id_published_at_id_idx",
            "creator_id",
            "published_at",
            "id",
            postgresql_where=status == PUBLISHED,
        ),
    )

    @property
    def rating(self) -> PostRating:
        return PostRating(self.rating_average, self.rating_count)


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
