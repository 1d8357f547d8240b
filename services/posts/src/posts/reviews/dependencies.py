from typing import Annotated

from fastapi import Depends

from chassis.security.dependencies import JWTDataDep
from posts.posts.dependencies import PublishedPostDep
from posts.posts.models import Post
from posts.reviews.exceptions import OwnPostError


async def valid_reviewable_post(jwt_data: JWTDataDep, post: PublishedPostDep) -> Post:
    if post.creator_id == jwt_data.user_id:
        raise OwnPostError
    return post


ReviewablePostDep = Annotated[Post, Depends(valid_reviewable_post)]
