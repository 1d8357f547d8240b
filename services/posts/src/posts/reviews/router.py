from uuid import UUID

from fastapi import Depends, Request, Response

from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import create_router
from chassis.idempotency import IdempotencyDep, IdempotencyKeyBusyError, IdempotencyKeyReusedError
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import require_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)
from posts.accounts.exceptions import AccountsUnavailableError
from posts.creators.dependencies import ActiveProfileDep
from posts.creators.exceptions import ProfileUnknownError
from posts.posts.exceptions import PostNotFoundError
from posts.reviews import service
from posts.reviews.dependencies import ReviewablePostDep
from posts.reviews.exceptions import OwnPostError, ReviewExistsError
from posts.reviews.models import PostReview
from posts.reviews.schemas import ReviewCreate, ReviewRead

router = create_router(tags=["reviews"])


@router.get(
    "/posts/{post_id}/reviews",
    response_model=Page[ReviewRead],
    summary="List the reviews of a post",
    responses=problem_responses(CursorInvalidError, PostNotFoundError),
)
async def list_reviews(post_id: UUID, params: PageParamsDep, reader: ReaderDep, request: Request) -> Response:
    """Newest first. 404 also for a post that is not published."""
    page = await service.list_reviews(reader, params, post_id)
    return page.to_response(request)


@router.post(
    "/posts/{post_id}/reviews",
    status_code=201,
    response_model=ReviewRead,
    summary="Review a post",
    responses=problem_responses(
        *TOKEN_ERRORS,
        PostNotFoundError,
        OwnPostError,
        ProfileUnknownError,
        ReviewExistsError,
        IdempotencyKeyBusyError,
        IdempotencyKeyReusedError,
        AccountsUnavailableError,
    ),
    dependencies=[Depends(require_scope("reviews:write"))],
)
async def create_review(
    reviewer: ActiveProfileDep, _: IdempotencyDep, post: ReviewablePostDep, data: ReviewCreate, session: SessionDep
) -> PostReview:
    """Once a reader and post, and not on one's own. The rating of the post changes in the same moment."""
    return await service.create_review(session, post, reviewer, data)
