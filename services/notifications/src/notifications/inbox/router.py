from typing import Annotated

from fastapi import Depends, Query, Request, Response

from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import create_router
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import JWTDataDep, require_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)
from notifications.inbox import service
from notifications.inbox.dependencies import OwnNotificationDep
from notifications.inbox.exceptions import NotificationNotFoundError
from notifications.inbox.schemas import NotificationRead, UnreadCount

router = create_router(tags=["inbox"])

OnlyUnread = Annotated[bool, Query(alias="unread", description="Only what is not read yet.")]


@router.get(
    "/notifications",
    response_model=Page[NotificationRead],
    summary="List my notifications",
    responses=problem_responses(*TOKEN_ERRORS, CursorInvalidError),
    dependencies=[Depends(require_scope("notifications:read"))],
)
async def list_notifications(
    request: Request,
    reader: ReaderDep,
    jwt_data: JWTDataDep,
    page: PageParamsDep,
    only_unread: OnlyUnread = False,
) -> Response:
    """The caller's inbox, newest first."""
    found = await service.list_notifications(reader, jwt_data.user_id, page, only_unread=only_unread)
    return found.to_response(request)


@router.get(
    "/notifications/unread-count",
    response_model=UnreadCount,
    summary="Count my unread notifications",
    responses=problem_responses(*TOKEN_ERRORS),
    dependencies=[Depends(require_scope("notifications:read"))],
)
async def get_unread_count(reader: ReaderDep, jwt_data: JWTDataDep) -> Response:
    """How many notifications the caller has not read: exact, and current."""
    return Response(await service.count_unread(reader, jwt_data.user_id), media_type="application/json")


@router.put(
    "/notifications/read",
    status_code=204,
    summary="Mark all my notifications read",
    responses=problem_responses(*TOKEN_ERRORS),
    dependencies=[Depends(require_scope("notifications:write"))],
)
async def mark_all_read(session: SessionDep, jwt_data: JWTDataDep) -> None:
    """Mark everything read that is in the caller's inbox now. Those read before keep their time."""
    await service.mark_all_read(session, jwt_data.user_id)


@router.put(
    "/notifications/{notification_id}/read",
    status_code=204,
    summary="Mark a notification read",
    responses=problem_responses(*TOKEN_ERRORS, NotificationNotFoundError),
    dependencies=[Depends(require_scope("notifications:write"))],
)
async def mark_notification_read(session: SessionDep, notification: OwnNotificationDep) -> None:
    """Mark one notification read; once more changes nothing."""
    await service.mark_notification_read(session, notification)
