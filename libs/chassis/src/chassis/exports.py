"""What a service holds about one person, page by page, for whoever puts together a copy of it all.

A service lists its parts; two routes serve them. So the one that collects needs to know no table, and a new part, or a
new service, is one more entry in a list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from sqlalchemy import Uuid, bindparam

from chassis.database.dependencies import ReaderDep
from chassis.database.routing import create_router
from chassis.pagination import MAX_LIMIT, CursorInvalidError, Page, PageParamsDep, PageQuery
from chassis.problems import NotFoundError, problem_responses
from chassis.schemas import CustomModel
from chassis.security.dependencies import require_service_scope
from chassis.security.exceptions import InsufficientScopeError, TokenMissingError

EXPORT_SCOPE = "exports:read"
USER_ID = bindparam("user_id", type_=Uuid())
"""Whose rows the query of a part selects."""
MAX_PARTS = 100


class ExportPartNotFoundError(NotFoundError):
    code = "export_part_not_found"
    title = "This service has no such part"


@dataclass(frozen=True, slots=True)
class ExportPart:
    """Rows of one kind. An item with `file_name` and `content` (base64) is a file, any other an entry of a list."""

    name: str
    about: str
    """In the words of whom it is about."""
    query: PageQuery
    page_limit: int = MAX_LIMIT
    """Fewer on a page where items are large."""


class ExportPartRead(CustomModel):
    name: str = Field(max_length=50, pattern="^[a-z]+(-[a-z]+)*$")
    about: str = Field(max_length=200)
    page_limit: int = Field(ge=1, le=MAX_LIMIT)


class ExportParts(CustomModel):
    items: list[ExportPartRead] = Field(max_length=MAX_PARTS)


def create_export_router(parts: Sequence[ExportPart]) -> APIRouter:
    router = create_router(
        prefix="/internal", tags=["internal"], dependencies=[Depends(require_service_scope(EXPORT_SCOPE))]
    )
    _add_listing(router, ExportParts(items=[ExportPartRead.model_validate(part) for part in parts]))
    _add_data(router, {part.name: part for part in parts})
    return router


def _add_listing(router: APIRouter, listing: ExportParts) -> None:
    @router.get(
        "/export-parts",
        summary="List what can be exported",
        responses=problem_responses(TokenMissingError, InsufficientScopeError),
    )
    async def list_export_parts() -> ExportParts:
        """The kinds of data that this service keeps about people."""
        return listing


def _add_data(router: APIRouter, parts: Mapping[str, ExportPart]) -> None:
    async def valid_part(
        part: Annotated[str, Query(max_length=50, description="As it is listed in `/internal/export-parts`.")],
    ) -> ExportPart:
        if part not in parts:
            raise ExportPartNotFoundError
        return parts[part]

    @router.get(
        "/users/{user_id}/data",
        response_model=Page[dict[str, Any]],
        summary="List what is known about somebody",
        responses=problem_responses(
            TokenMissingError, InsufficientScopeError, ExportPartNotFoundError, CursorInvalidError
        ),
    )
    async def list_user_data(
        request: Request,
        user_id: UUID,
        part: Annotated[ExportPart, Depends(valid_part)],
        params: PageParamsDep,
        reader: ReaderDep,
    ) -> Response:
        """One part, the newest first; nothing of who is not known."""
        page = await part.query.fetch_page(reader, params, scope=str(user_id), user_id=user_id)
        assert page is not None  # noqa: S101 - the list has no owner that could be missing
        return page.to_response(request)
