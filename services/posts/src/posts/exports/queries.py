"""What this service contributes to a copy of somebody's data."""

from sqlalchemy import select

from chassis.database.queries import json_object, rfc3339
from chassis.exports import USER_ID, ExportPart
from chassis.pagination import PageQuery
from posts.creators.models import Creator, CreatorFollower
from posts.posts.models import Post
from posts.reviews.models import PostReview

POSTS_ON_A_PAGE = 10
"""Each may have 200,000 bytes."""

_POSTS = PageQuery(
    "export-posts",
    select(Post).where(Post.creator_id == USER_ID),
    item=json_object(
        id=Post.id,
        title=Post.title,
        body=Post.body,
        status=Post.status,
        created_at=rfc3339(Post.created_at),
        updated_at=rfc3339(Post.updated_at),
        published_at=rfc3339(Post.published_at),
    ),
    moment=Post.created_at,
    item_id=Post.id,
)
_REVIEWS = PageQuery(
    "export-reviews",
    select(PostReview).where(PostReview.reviewer_id == USER_ID),
    item=json_object(
        id=PostReview.id,
        post_id=PostReview.post_id,
        rating=PostReview.rating,
        text=PostReview.text,
        created_at=rfc3339(PostReview.created_at),
    ),
    moment=PostReview.created_at,
    item_id=PostReview.id,
)
_FOLLOWS = PageQuery(
    "export-follows",
    select(CreatorFollower)
    .join(Creator, Creator.id == CreatorFollower.creator_id)
    .where(CreatorFollower.follower_id == USER_ID, CreatorFollower.is_following),
    item=json_object(
        creator_id=CreatorFollower.creator_id,
        creator_username=Creator.username,
        created_at=rfc3339(CreatorFollower.created_at),
    ),
    moment=CreatorFollower.created_at,
    item_id=CreatorFollower.id,
)

PARTS = (
    ExportPart("posts", "What you wrote, drafts included, in Markdown", _POSTS, POSTS_ON_A_PAGE),
    ExportPart("reviews", "Your reviews of what others wrote", _REVIEWS),
    ExportPart("follows", "Whom you follow", _FOLLOWS),
)
