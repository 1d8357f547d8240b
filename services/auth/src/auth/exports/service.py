"""Exports: asked for here, built by the worker from what all services know, kept here for a while in pieces."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts.service import lock_profile
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.exports.constants import ARCHIVE_KEPT, BUILD_QUEUE, BUILD_TASK, FAILED_KEPT, PRUNE_EXPORTS, ExportState
from auth.exports.exceptions import ExportIncompleteError, ExportNotFoundError
from auth.exports.models import Export, ExportChunk
from auth.exports.queries import ARCHIVE, CHUNK, HAS_OPEN_EXPORT, LIST_EXPORTS
from auth.exports.schemas import ExportChunkInput, ExportClaim, ExportFailure, ExportRead, ExportResult
from auth.profiles.models import Profile
from auth.profiles.service import raise_version
from chassis.contracts.accounts import ExportCompleted
from chassis.database.queries import Reader
from chassis.events.outbox import emit_event
from chassis.jobs.exceptions import JobNotFoundError, StaleFenceError
from chassis.jobs.models import JobState
from chassis.jobs.service import claim_job, complete_job, fail_job
from chassis.jobs.sources import JobSource
from chassis.pagination import PageBytes, PageParams

EXPORTS = JobSource(Export, BUILD_TASK, BUILD_QUEUE)


@dataclass(frozen=True, slots=True)
class Archive:
    """One that can be fetched now."""

    export_id: UUID
    size: int
    chunks: int


async def fetch_exports(reader: Reader, profile_id: UUID, params: PageParams) -> PageBytes:
    page = await LIST_EXPORTS.fetch_page(reader, params, scope=str(profile_id), profile_id=profile_id)
    assert page is not None  # noqa: S101 - the list has no owner that could be missing
    return page


async def has_open_export(reader: Reader, profile_id: UUID) -> bool:
    return await reader.fetch_row(HAS_OPEN_EXPORT, profile_id=profile_id) is not None


async def find_archive(reader: Reader, profile_id: UUID, export_id: UUID) -> Archive | None:
    row = await reader.fetch_row(ARCHIVE, profile_id=profile_id, export_id=export_id)
    return None if row is None else Archive(export_id, row["size"], row["chunks"])


async def stream_archive(reader: Reader, archive: Archive) -> AsyncIterator[bytes]:
    """A piece at a time, and no connection held while the client takes it.

    Raises ExportNotFoundError when it is gone meanwhile: the answer ends short of its length, which clients notice.
    """
    for number in range(archive.chunks):
        row = await reader.fetch_row(CHUNK, export_id=archive.export_id, number=number)
        if row is None:
            raise ExportNotFoundError
        yield row["content"]


async def create_export(session: AsyncSession, profile: Profile, *, address: str | None) -> ExportRead:
    """It takes the place of the one before. `profile` is locked. Raises IntegrityError while another is under way."""
    is_over = Export.state.in_([JobState.DONE, JobState.DEAD])
    await session.execute(delete(Export).where(Export.profile_id == profile.id, is_over))
    export = Export(profile_id=profile.id)
    session.add(export)
    await session.flush()
    await record(session, AuditAction.EXPORT_REQUESTED, subject_id=profile.id, address=address)
    return ExportRead(
        id=export.id, state=ExportState.PROCESSING, size=None, created_at=export.created_at, expires_at=None
    )


async def claim_export(session: AsyncSession, export_id: UUID) -> ExportClaim:
    """What another worker has left of it goes. Raises JobNotFoundError, JobNotClaimableError."""
    export = await claim_job(session, Export, export_id)
    await session.execute(delete(ExportChunk).where(ExportChunk.export_id == export_id))
    return ExportClaim.model_validate(
        {
            "export_id": export.id,
            "user_id": export.profile_id,
            "fence": export.fence,
            "lease_ends_at": export.lease_ends_at,
        }
    )


async def add_chunk(session: AsyncSession, export_id: UUID, chunk: ExportChunkInput) -> None:
    """The same piece again changes nothing. Raises JobNotFoundError, StaleFenceError."""
    # Held: who claims the job anew waits, and then deletes this piece, too.
    export = (await session.scalars(select(Export).filter_by(id=export_id).with_for_update())).one_or_none()
    if export is None:
        raise JobNotFoundError
    if export.fence != chunk.fence or export.state != JobState.RUNNING:
        raise StaleFenceError
    piece = insert(ExportChunk).values(export_id=export_id, number=chunk.number, content=chunk.content)
    await session.execute(
        piece.on_conflict_do_update(
            index_elements=[ExportChunk.export_id, ExportChunk.number], set_={"content": piece.excluded.content}
        )
    )


async def complete_export(session: AsyncSession, export_id: UUID, result: ExportResult) -> None:
    """Its owner is told. The same report twice does nothing more.

    Raises JobNotFoundError, StaleFenceError, ExportIncompleteError.
    """
    profile = await _lock_owner(session, export_id)
    values = {"size": result.size, "expires_at": func.now() + ARCHIVE_KEPT}
    export = await complete_job(session, Export, export_id, fence=result.fence, values=values)
    if export is None:
        return
    await _check_chunks(session, export_id, result)
    assert export.expires_at is not None  # noqa: S101 - set just now
    event = ExportCompleted(user_id=profile.id, export_id=export_id, expires_at=export.expires_at)
    version = await raise_version(session, profile.id)
    await emit_event(session, event, aggregate_id=profile.id, aggregate_seq=version)


async def _check_chunks(session: AsyncSession, export_id: UUID, result: ExportResult) -> None:
    sizes = select(func.count(), func.max(ExportChunk.number), func.sum(func.octet_length(ExportChunk.content)))
    count, last, size = (await session.execute(sizes.where(ExportChunk.export_id == export_id))).one()
    if (count, last, size) != (result.chunks, result.chunks - 1, result.size):
        raise ExportIncompleteError


async def fail_export(session: AsyncSession, export_id: UUID, failure: ExportFailure) -> None:
    """Tried again later, unless that is pointless. Raises JobNotFoundError, StaleFenceError."""
    await fail_job(session, Export, export_id, fence=failure.fence, error=failure.error, permanent=failure.permanent)


async def delete_old_exports(session: AsyncSession) -> int:
    """Some of those that have expired, or failed long enough ago; how many."""
    has_expired = and_(Export.state == JobState.DONE, Export.expires_at < func.now())
    has_failed = and_(Export.state == JobState.DEAD, Export.finished_at < func.now() - FAILED_KEPT)
    old = select(Export.id).where(or_(has_expired, has_failed)).limit(PRUNE_EXPORTS).with_for_update(skip_locked=True)
    return len((await session.scalars(delete(Export).where(Export.id.in_(old)).returning(Export.id))).all())


async def _lock_owner(session: AsyncSession, export_id: UUID) -> Profile:
    """The profile first, then its export, as a deletion does: two orders could deadlock."""
    profile_id = await session.scalar(select(Export.profile_id).where(Export.id == export_id))
    own = None if profile_id is None else await lock_profile(session, profile_id)
    if own is None:
        raise JobNotFoundError
    return own.profile
