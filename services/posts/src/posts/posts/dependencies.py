from typing import Annotated
from uuid import UUID

from fastapi import Depends

from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.etags import IfMatchDep
from chassis.security.dependencies import JWTDataDep, OptionalJWTDataDep, allow_scope
from chassis.security.schemas import JWTData
from posts.posts import service
from posts.posts.constants import PostStatus
from posts.posts.exceptions import NotPostOwnerError, PostNotFoundError
from posts.posts.models import Post
from posts.posts.service import PostDocument


async def valid_post_document(
    post_id: UUID, jwt_data: Annotated[JWTData | None, Depends(allow_scope("posts:read"))], reader: ReaderDep
) -> PostDocument:
    """The post as the caller may see it, ready to go out."""
    viewer_id = None if jwt_data is None else jwt_data.user_id
    document = await service.get_post_document(reader, post_id, viewer_id)
    if document is None:
        raise PostNotFoundError
    return document


async def valid_post_id(post_id: UUID, jwt_data: OptionalJWTDataDep, session: SessionDep) -> Post:
    """A post that the caller may see: published, or their own."""
    post = await service.get_post(session, post_id)
    if post is None:
        raise PostNotFoundError
    is_own = jwt_data is not None and jwt_data.user_id == post.creator_id
    is_public = post.status == PostStatus.PUBLISHED and post.creator.hidden_at is None
    if not is_public and not is_own:
        raise PostNotFoundError
    return post


ValidPostDep = Annotated[Post, Depends(valid_post_id)]


# The token comes first: a stranger is told to log in before anything is said about the post.
async def valid_owned_post(jwt_data: JWTDataDep, post: ValidPostDep) -> Post:
    if post.creator_id != jwt_data.user_id:
        raise NotPostOwnerError
    return post


OwnedPostDep = Annotated[Post, Depends(valid_owned_post)]


async def valid_user_post(user_id: UUID, post: OwnedPostDep) -> Post:
    if post.creator_id != user_id:
        raise PostNotFoundError
    return post


async def valid_current_post(post: OwnedPostDep, if_match: IfMatchDep, session: SessionDep) -> Post:
    """One's own post, held until the end of the request, in the version that the client knows."""
    current = await service.lock_post(session, post.id)
    if current is None:
        raise PostNotFoundError
    if_match.check(current.version)
    return current


async def valid_published_post(post: ValidPostDep) -> Post:
    if post.status != PostStatus.PUBLISHED:
        raise PostNotFoundError
    return post


ValidPostDocumentDep = Annotated[PostDocument, Depends(valid_post_document)]
UserPostDep = Annotated[Post, Depends(valid_user_post)]
CurrentPostDep = Annotated[Post, Depends(valid_current_post)]
PublishedPostDep = Annotated[Post, Depends(valid_published_post)]
