"""What readers think of a post."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from chassis.contracts.posts import ReviewCreated
from chassis.database.queries import Reader
from chassis.events.outbox import emit_event
from chassis.pagination import PageBytes, PageParams
from posts.creators.models import Creator
from posts.posts.exceptions import PostNotFoundError
from posts.posts.models import PUBLISHED, Post
from posts.reviews.models import PostReview
from posts.reviews.queries import POST_REVIEWS
from posts.reviews.schemas import ReviewCreate


async def list_reviews(reader: Reader, params: PageParams, post_id: UUID) -> PageBytes:
    page = await POST_REVIEWS.fetch_page(reader, params, scope=str(post_id), post_id=post_id)
    if page is None:
        raise PostNotFoundError
    return page


async def create_review(session: AsyncSession, post: Post, reviewer: Creator, data: ReviewCreate) -> PostReview:
    """Raises IntegrityError for a second review of the same reader, PostNotFoundError when just withdrawn or deleted.

    The rating comes first, and with it the lock of the post that it needs: the weaker one of the review's foreign key,
    raised afterwards, would deadlock with a deletion.
    """
    title = await _add_rating(session, post.id, data.rating)
    review = PostReview(post_id=post.id, reviewer_id=reviewer.id, rating=data.rating, text=data.text)
    session.add(review)
    await session.flush()
    set_committed_value(review, "reviewer", reviewer)
    event = ReviewCreated(
        review_id=review.id,
        post_id=post.id,
        post_title=title,
        creator_id=post.creator_id,
        reviewer_id=reviewer.id,
        rating=review.rating,
    )
    await emit_event(session, event, aggregate_id=review.id, aggregate_seq=1)
    return review


async def _add_rating(session: AsyncSession, post_id: UUID, rating: int) -> str:
    """Counted by the database, so that no rating of two at once is lost. The title as it is now."""
    statement = (
        update(Post)
        .where(Post.id == post_id, Post.status == PUBLISHED)
        .values(
            rating_count=Post.rating_count + 1,
            rating_sum=Post.rating_sum + rating,
            # A review is no change of the post.
            updated_at=Post.updated_at,
        )
        .returning(Post.title)
        .execution_options(synchronize_session=False)
    )
    title = (await session.scalars(statement)).one_or_none()
    if title is None:
        raise PostNotFoundError
    return title


async def anonymize_reviews_of(session: AsyncSession, reviewer_id: UUID) -> None:
    """The rating stays, for it is part of an average; what was written goes."""
    await session.execute(update(PostReview).where(PostReview.reviewer_id == reviewer_id).values(text=""))
