"""Hot reads of posts: one statement each, the JSON built by PostgreSQL."""

from typing import Any

from sqlalchemy import and_, bindparam, case, exists, or_, select
from sqlalchemy.dialects import postgresql

from chassis.database.queries import HotQuery, json_object, rfc3339
from chassis.pagination import PageQuery
from posts.creators.models import Creator
from posts.creators.queries import build_creator_json
from posts.posts.models import PUBLISHED, Post

_ID = postgresql.UUID(as_uuid=True)
_IS_OWN = Post.creator_id == bindparam("viewer_id", type_=_ID)


def _build_summary() -> dict[str, Any]:
    """The members of `PostListItem`, of the joined `post` and `creator`."""
    return {
        "id": Post.id,
        "title": Post.title,
        "excerpt": Post.excerpt,
        "status": Post.status,
        "version": Post.version,
        "rating": json_object(average=Post.rating_average, count=Post.rating_count),
        "creator": build_creator_json(),
        "created_at": rfc3339(Post.created_at),
        "updated_at": rfc3339(Post.updated_at),
        "published_at": rfc3339(Post.published_at),
    }


POST = HotQuery(
    select(
        Post.version,
        json_object(
            **_build_summary(),
            body=case((_IS_OWN, Post.body)),
            html=Post.html,
            publication_error=case((_IS_OWN, Post.publication_error)),
        ).label("body"),
    )
    .join(Post.creator)
    .where(
        Post.id == bindparam("post_id", type_=_ID),
        or_(and_(Post.status == PUBLISHED, Creator.hidden_at.is_(None)), _IS_OWN),
    )
)
"""The post as `viewer_id` (NULL for a stranger) may see it; no row for what they may not."""

_PUBLISHED_POSTS = select(Post).join(Post.creator).where(Post.status == PUBLISHED, Creator.hidden_at.is_(None))
_PLACE: dict[str, Any] = {
    "item": json_object(**_build_summary()),
    "moment": Post.published_at,
    "item_id": Post.id,
}
_PROFILE_ID = bindparam("profile_id", type_=_ID)
_POSTS_OF_PROFILE = _PUBLISHED_POSTS.where(Post.creator_id == _PROFILE_ID)

POSTS = PageQuery("posts", _PUBLISHED_POSTS, **_PLACE)
POSTS_BY_CREATOR = PageQuery("posts", _POSTS_OF_PROFILE, **_PLACE)
"""A filter: nothing of an unknown creator is an empty list."""
CREATOR_POSTS = PageQuery(
    "creator-posts",
    _POSTS_OF_PROFILE,
    **_PLACE,
    owner_exists=exists().where(Creator.id == _PROFILE_ID, Creator.is_creator, Creator.hidden_at.is_(None)),
)
