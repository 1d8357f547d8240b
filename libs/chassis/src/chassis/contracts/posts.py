"""What posts tells: publications, followers, reviews."""

from typing import ClassVar
from uuid import UUID

from chassis.contracts.base import Event


class PostPublished(Event):
    type: ClassVar[str] = "post.published"

    post_id: UUID
    creator_id: UUID
    title: str
    excerpt: str


class CreatorFollowed(Event):
    """Follow and unfollow of one pair may arrive in either order: compare `aggregate_seq`."""

    type: ClassVar[str] = "creator.followed"

    creator_id: UUID
    follower_id: UUID


class CreatorUnfollowed(Event):
    type: ClassVar[str] = "creator.unfollowed"

    creator_id: UUID
    follower_id: UUID


class ReviewCreated(Event):
    type: ClassVar[str] = "review.created"

    review_id: UUID
    post_id: UUID
    post_title: str
    creator_id: UUID
    reviewer_id: UUID
    rating: int
