from fastapi import Depends, Request, Response

from auth.audit import service
from auth.audit.dependencies import AuditFilterDep
from auth.audit.schemas import AuditRead, OwnAuditRead
from chassis.database.dependencies import ReaderDep
from chassis.database.routing import create_router
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import JWTDataDep, require_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
)

router = create_router(tags=["audit"])


@router.get(
    "/profiles/me/audit",
    response_model=Page[OwnAuditRead],
    status_code=200,
    summary="List what happened to one's account",
    responses=problem_responses(*TOKEN_ERRORS, CursorInvalidError),
)
async def list_own_audit(request: Request, jwt_data: JWTDataDep, params: PageParamsDep, reader: ReaderDep) -> Response:
    """The newest first: logins and what was changed, from which network and device."""
    page = await service.fetch_own_audit(reader, jwt_data.user_id, params)
    return page.to_response(request)


@router.get(
    "/admin/audit",
    response_model=Page[AuditRead],
    status_code=200,
    summary="Search the audit log",
    responses=problem_responses(*TOKEN_ERRORS, CursorInvalidError),
    dependencies=[Depends(require_scope("audit:read"))],
)
async def list_audit(request: Request, filters: AuditFilterDep, params: PageParamsDep, reader: ReaderDep) -> Response:
    """The newest first, of all accounts."""
    page = await service.fetch_audit(reader, params, **filters.model_dump())
    return page.to_response(request)
