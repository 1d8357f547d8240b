"""One export: claimed, collected from all services, written to disk, handed over in pieces, reported."""

from base64 import b64encode
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import IO
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded

from chassis.http.sync import SyncServiceClient
from worker.exports.client import list_items, list_parts
from worker.exports.constants import CHUNK_BYTES, SOFT_TIME_LIMIT
from worker.exports.exceptions import ExportTooSlowError
from worker.exports.schemas import ExportClaim
from worker.exports.utils import ArchiveWriter
from worker.jobs import Job, claim_job


def build_export(owner: SyncServiceClient, services: Sequence[SyncServiceClient], export_id: UUID) -> None:
    """Raises a JobError when it cannot be built, UpstreamError when a service is away, or its owner is gone."""
    with claim_job(owner, "exports", export_id, ExportClaim) as job, TemporaryFile() as file:
        try:
            size = write_archive(file, services, job.claim.user_id)
            chunks = send_chunks(job, file)
        except SoftTimeLimitExceeded as error:
            raise ExportTooSlowError(f"It takes more than {SOFT_TIME_LIMIT} s to collect.") from error
        job.report_result(chunks=chunks, size=size)


def write_archive(file: IO[bytes], services: Sequence[SyncServiceClient], user_id: UUID) -> int:
    """Its size in bytes."""
    with ArchiveWriter(file) as archive:
        for service in services:
            for part in list_parts(service):
                archive.add_part(service.target, part.name, part.about, list_items(service, part, user_id))
        return archive.finish()


def send_chunks(job: Job[ExportClaim], file: IO[bytes]) -> int:
    """How many they were."""
    file.seek(0)
    number = 0
    while content := file.read(CHUNK_BYTES):
        job.report_chunk(number=number, content=b64encode(content).decode())
        number += 1
    return number
