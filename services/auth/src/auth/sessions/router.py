from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from auth.sessions import service
from auth.sessions.exceptions import SessionNotFoundError
from auth.sessions.schemas import SessionRead, SessionUpdate
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import create_router
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import JWTDataDep
from chassis.security.exceptions import TOKEN_ERRORS

router = create_router(prefix="/auth/sessions", tags=["sessions"])


@router.get(
    "",
    response_model=Page[SessionRead],
    status_code=200,
    summary="List one's own sessions",
    responses=problem_responses(*TOKEN_ERRORS, CursorInvalidError),
)
async def list_sessions(request: Request, jwt_data: JWTDataDep, params: PageParamsDep, reader: ReaderDep) -> Response:
    """The newest first: where one is logged in, since when, and from which device."""
    page = await service.fetch_sessions(reader, jwt_data.user_id, jwt_data.session_id, params)
    return page.to_response(request)


@router.patch(
    "/{session_id}",
    status_code=204,
    summary="Name a session",
    responses=problem_responses(*TOKEN_ERRORS, SessionNotFoundError),
)
async def update_session(
    session_id: UUID, session_data: SessionUpdate, jwt_data: JWTDataDep, session: SessionDep
) -> None:
    """So that one knows it again in the list. `null` takes the name away."""
    await service.rename_session(session, jwt_data.user_id, session_id, session_data.name)


@router.delete(
    "/{session_id}",
    status_code=204,
    summary="End a session",
    responses=problem_responses(*TOKEN_ERRORS, SessionNotFoundError),
)
async def delete_session(session_id: UUID, jwt_data: JWTDataDep, session: SessionDep) -> None:
    """One's own, also the one that asks. No service takes its access tokens a second later."""
    await service.end_own_session(session, jwt_data.user_id, session_id)


@router.delete(
    "",
    status_code=204,
    summary="End all sessions, or all others",
    responses=problem_responses(*TOKEN_ERRORS),
)
async def delete_sessions(
    jwt_data: JWTDataDep,
    session: SessionDep,
    keep_current: Annotated[bool, Query(description="Whether the one that asks goes on.")] = False,
) -> None:
    """On all devices and of all apps."""
    except_id = jwt_data.session_id if keep_current else None
    await service.end_own_sessions(session, jwt_data.user_id, except_id=except_id)
