from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import create_router
from chassis.etags import VersionStaleError, create_tagged_response
from chassis.idempotency import IdempotencyDep, IdempotencyKeyBusyError, IdempotencyKeyReusedError
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import OPTIONAL_TOKEN, require_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)
from posts.accounts.exceptions import AccountsUnavailableError
from posts.creators.dependencies import ActiveCreatorDep
from posts.creators.exceptions import CreatorNotFoundError, NotACreatorError
from posts.posts import service
from posts.posts.dependencies import CurrentPostDep, UserPostDep, ValidPostDocumentDep
from posts.posts.exceptions import NotPostOwnerError, PostNotFoundError
from posts.posts.schemas import PostCreate, PostListItem, PostRead, PostUpdate
from posts.posts.utils import (
    create_created_response,
    create_publication_response,
    create_read_response,
    create_written_response,
)

router = create_router(tags=["posts"])

OWNER_ERRORS = (*TOKEN_ERRORS, NotPostOwnerError, PostNotFoundError)


@router.get(
    "/posts",
    response_model=Page[PostListItem],
    summary="List published posts",
    responses=problem_responses(CursorInvalidError),
)
async def list_posts(
    params: PageParamsDep,
    reader: ReaderDep,
    request: Request,
    creator_id: Annotated[UUID | None, Query(description="Only those of this creator.")] = None,
) -> Response:
    """Newest publication first."""
    page = await service.list_posts(reader, params, creator_id=creator_id)
    return page.to_response(request)


@router.get(
    "/creators/{profile_id}/posts",
    response_model=Page[PostListItem],
    summary="List a creator's published posts",
    responses=problem_responses(CursorInvalidError, CreatorNotFoundError),
)
async def list_creator_posts(profile_id: UUID, params: PageParamsDep, reader: ReaderDep, request: Request) -> Response:
    """Newest publication first."""
    page = await service.list_creator_posts(reader, params, profile_id)
    return page.to_response(request)


@router.get(
    "/posts/{post_id}",
    response_model=PostRead,
    summary="Get a post",
    responses={304: {"description": "As the client has it"}, **problem_responses(*TOKEN_ERRORS, PostNotFoundError)},
    openapi_extra=OPTIONAL_TOKEN,
)
async def get_post(document: ValidPostDocumentDep, request: Request) -> Response:
    """Its creator sees it in any state, with the Markdown; all others once it is published.

    The `html` is sanitised by the worker that renders it: it may go into a page as it is.
    """
    return create_tagged_response(request, document.version, document.body)


@router.get(
    "/users/{user_id}/posts/{post_id}",
    response_model=PostRead,
    summary="Get one's own post",
    responses={304: {"description": "As the client has it"}, **problem_responses(*OWNER_ERRORS)},
    dependencies=[Depends(require_scope("posts:read"))],
)
async def get_user_post(post: UserPostDep, request: Request) -> Response:
    """For its creator alone, in any state."""
    return create_read_response(request, post)


@router.post(
    "/posts",
    status_code=201,
    response_model=PostRead,
    summary="Write a post",
    responses=problem_responses(
        *TOKEN_ERRORS, NotACreatorError, IdempotencyKeyBusyError, IdempotencyKeyReusedError, AccountsUnavailableError
    ),
    dependencies=[Depends(require_scope("posts:write"))],
)
async def create_post(creator: ActiveCreatorDep, _: IdempotencyDep, data: PostCreate, session: SessionDep) -> Response:
    """A draft, which only its creator sees. Its Markdown is rendered at once, so that publishing it is instant."""
    post = await service.create_post(session, creator, data)
    return create_created_response(post)


@router.put(
    "/posts/{post_id}",
    response_model=PostRead,
    summary="Replace title and body of a post",
    responses=problem_responses(*OWNER_ERRORS, VersionStaleError),
    dependencies=[Depends(require_scope("posts:write"))],
)
async def update_post(post: CurrentPostDep, data: PostUpdate, session: SessionDep) -> Response:
    """Send `If-Match` so as not to overwrite what somebody else wrote meanwhile.

    Readers of a published post keep the former HTML until the new one is rendered.
    """
    updated = await service.update_post(session, post, data)
    return create_written_response(updated)


@router.delete(
    "/posts/{post_id}",
    status_code=204,
    summary="Delete a post",
    responses=problem_responses(*OWNER_ERRORS, VersionStaleError),
    dependencies=[Depends(require_scope("posts:write"))],
)
async def delete_post(post: CurrentPostDep, session: SessionDep) -> None:
    """For good, with its reviews."""
    await service.delete_post(session, post)


@router.put(
    "/posts/{post_id}/publication",
    response_model=PostRead,
    summary="Publish a post",
    responses={
        202: {"model": PostRead, "description": "`publishing`: published as soon as its HTML is rendered"},
        **problem_responses(*OWNER_ERRORS, VersionStaleError),
    },
    dependencies=[Depends(require_scope("posts:write"))],
)
async def publish_post(post: CurrentPostDep, session: SessionDep) -> Response:
    """Changes nothing for a post that is published.

    Should rendering fail for good, it is a draft again, and `publication_error` says so; publishing it once more
    tries anew.
    """
    published = await service.publish_post(session, post)
    return create_publication_response(published)


@router.delete(
    "/posts/{post_id}/publication",
    status_code=204,
    summary="Withdraw a post",
    responses=problem_responses(*OWNER_ERRORS, VersionStaleError),
    dependencies=[Depends(require_scope("posts:write"))],
)
async def unpublish_post(post: CurrentPostDep, session: SessionDep) -> None:
    """A draft again, its reviews kept. Published later, it has its former place and its followers hear nothing new."""
    await service.unpublish_post(session, post)
