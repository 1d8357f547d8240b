from uuid import UUID

from fastapi import Request, Response

from auth.consents import service
from auth.consents.exceptions import ConsentNotFoundError
from auth.consents.schemas import ConsentRead
from auth.sessions.dependencies import DeviceInfoDep
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import create_router
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import JWTDataDep
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)

router = create_router(prefix="/auth/consents", tags=["consents"])


@router.get(
    "",
    response_model=Page[ConsentRead],
    status_code=200,
    summary="List the apps of others that one has let in",
    responses=problem_responses(*TOKEN_ERRORS, CursorInvalidError),
)
async def list_consents(request: Request, jwt_data: JWTDataDep, params: PageParamsDep, reader: ReaderDep) -> Response:
    """The newest first, with what each may do."""
    page = await service.fetch_consents(reader, jwt_data.user_id, params)
    return page.to_response(request)


@router.delete(
    "/{client_id}",
    status_code=204,
    summary="Take back what one has let an app do",
    responses=problem_responses(*TOKEN_ERRORS, ConsentNotFoundError),
)
async def delete_consent(client_id: UUID, jwt_data: JWTDataDep, device: DeviceInfoDep, session: SessionDep) -> None:
    """Its tokens end: no service takes them a second later. It has to ask again."""
    await service.withdraw_consent(session, jwt_data.user_id, client_id, device)
