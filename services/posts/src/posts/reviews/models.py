from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.database.models import Base, HasId
from posts.creators.models import Creator


class PostReview(HasId, Base):
    __tablename__ = "post_review"

    post_id: Mapped[UUID] = mapped_column(ForeignKey("post.id", ondelete="CASCADE"))
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("creator.id"))
    rating: Mapped[int] = mapped_column(SmallInteger)
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    reviewer: Mapped[Creator] = relationship(lazy="raise")

    __table_args__ = (
        UniqueConstraint("post_id", "reviewer_id"),
        CheckConstraint("rating between 1 and 5", name="rating"),
        Index("post_review_reviewer_id_created_at_id_idx", "reviewer_id", "created_at", "id"),
        Index("post_review_post_id_created_at_id_idx", "post_id", "created_at", "id"),
    )
