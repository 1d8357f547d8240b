from typing import Any
from uuid import UUID

from fastapi import Depends, Request, Response

from auth.exports import service
from auth.exports.dependencies import ArchiveDep, ExporterDep
from auth.exports.exceptions import ExportIncompleteError, ExportNotFoundError, ExportPendingError
from auth.exports.schemas import ExportChunkInput, ExportClaim, ExportFailure, ExportRead, ExportResult
from auth.exports.utils import create_archive_response
from auth.limits.exceptions import LimitedError
from auth.mfa.constants import RECENT
from auth.mfa.dependencies import require_full_login
from auth.profiles.exceptions import ProfileNotFoundError
from auth.sessions.dependencies import DeviceInfoDep
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import create_router
from chassis.jobs.exceptions import JobNotClaimableError, JobNotFoundError, StaleFenceError
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import JWTDataDep, require_service_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
    LoginTooOldError,
)

ZIP_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        "description": "A zip of JSON files; `index.html` in it says what is in them.",
    }
}

router = create_router(prefix="/auth/exports", tags=["exports"])
jobs_router = create_router(
    prefix="/internal/exports", tags=["internal"], dependencies=[Depends(require_service_scope("jobs:work"))]
)


@router.get(
    "",
    response_model=Page[ExportRead],
    status_code=200,
    summary="List one's exports",
    responses=problem_responses(*TOKEN_ERRORS, CursorInvalidError),
)
async def list_exports(request: Request, jwt_data: JWTDataDep, params: PageParamsDep, reader: ReaderDep) -> Response:
    """There is one at a time: the one that is under way, or the one that can be fetched."""
    page = await service.fetch_exports(reader, jwt_data.user_id, params)
    return page.to_response(request)


@router.get(
    "/{export_id}/archive",
    response_class=Response,
    status_code=200,
    summary="Fetch an archive",
    responses=ZIP_ANSWER | problem_responses(*TOKEN_ERRORS, LoginTooOldError, ExportNotFoundError),
    dependencies=[Depends(require_full_login(RECENT))],
)
async def get_archive(archive: ArchiveDep, reader: ReaderDep) -> Response:
    """For its owner alone, after a fresh login, and for two days."""
    return create_archive_response(archive.size, service.stream_archive(reader, archive))


@router.post(
    "",
    status_code=202,
    summary="Ask for a copy of one's own data",
    responses=problem_responses(
        *TOKEN_ERRORS, LoginTooOldError, ProfileNotFoundError, ExportPendingError, LimitedError
    ),
    dependencies=[Depends(require_full_login(RECENT))],
)
async def create_export(profile: ExporterDep, device: DeviceInfoDep, session: SessionDep) -> ExportRead:
    """All that the platform keeps about the caller. A mail says when it can be fetched; an older one is gone then."""
    return await service.create_export(session, profile, address=device.address)


@jobs_router.post(
    "/{export_id}/claim",
    status_code=200,
    summary="Claim an export",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, JobNotClaimableError),
)
async def claim_export(export_id: UUID, session: SessionDep) -> ExportClaim:
    """Take the job for a while. The data is asked for at each service."""
    return await service.claim_export(session, export_id)


@jobs_router.post(
    "/{export_id}/chunks",
    status_code=204,
    summary="Store a piece of an archive",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, StaleFenceError),
)
async def add_chunk(export_id: UUID, chunk: ExportChunkInput, session: SessionDep) -> None:
    """In any order; the same one again takes its own place."""
    await service.add_chunk(session, export_id, chunk)


@jobs_router.post(
    "/{export_id}/result",
    status_code=204,
    summary="Report an export as done",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, StaleFenceError, ExportIncompleteError),
)
async def complete_export(export_id: UUID, result: ExportResult, session: SessionDep) -> None:
    """All pieces have been stored. From now on its owner can fetch it, and is told so by mail."""
    await service.complete_export(session, export_id, result)


@jobs_router.post(
    "/{export_id}/failure",
    status_code=204,
    summary="Report an export as failed",
    responses=problem_responses(*TOKEN_ERRORS, JobNotFoundError, StaleFenceError),
)
async def fail_export(export_id: UUID, failure: ExportFailure, session: SessionDep) -> None:
    """It is tried again after a while, for some hours; at once no more when `permanent`."""
    await service.fail_export(session, export_id, failure)
