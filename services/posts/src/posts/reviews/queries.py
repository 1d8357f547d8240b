"""Hot reads of reviews: one statement, the JSON built by PostgreSQL."""

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import aliased

from chassis.database.queries import json_object, rfc3339
from chassis.pagination import PageQuery
from posts.creators.models import Creator
from posts.creators.queries import build_profile_json
from posts.posts.models import PUBLISHED, Post
from posts.reviews.models import PostReview

# Not the reviewer, who stands in the same table.
Author = aliased(Creator)
_POST_ID = bindparam("post_id", type_=PostReview.post_id.type)

POST_REVIEWS = PageQuery(
    "reviews",
    select(PostReview).join(PostReview.reviewer).where(PostReview.post_id == _POST_ID),
    item=json_object(
        id=PostReview.id,
        post_id=PostReview.post_id,
        rating=PostReview.rating,
        text=PostReview.text,
        reviewer=build_profile_json(),
        created_at=rfc3339(PostReview.created_at),
    ),
    moment=PostReview.created_at,
    item_id=PostReview.id,
    owner_exists=exists().where(
        Post.id == _POST_ID,
        Post.status == PUBLISHED,
        exists().where(Author.id == Post.creator_id, Author.hidden_at.is_(None)),
    ),
)
