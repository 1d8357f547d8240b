from datetime import timedelta
from enum import StrEnum

BUILD_TASK = "auth.build_export"
BUILD_QUEUE = "cpu"
MAX_ATTEMPTS = 20
"""Some hours: another service that is away for a while must not cost anybody their export."""

CHUNK_MAX_BYTES = 524_288
CHUNK_MAX_LENGTH = 699_052
"""The same in base64."""
MAX_CHUNKS = 96
"""48 MiB."""
ARCHIVE_KEPT = timedelta(days=2)
FAILED_KEPT = timedelta(days=7)
PRUNE_EXPORTS = 10
ERROR_MAX_LENGTH = 10_000


class ExportState(StrEnum):
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
