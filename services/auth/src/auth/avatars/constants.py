from datetime import timedelta
from enum import IntEnum, StrEnum

RESIZE_TASK = "auth.resize_avatar"
RESIZE_QUEUE = "cpu"
LEASE = timedelta(minutes=1)
SOURCE_MAX_BYTES = 1_048_576
"""What any request may hold."""
SOURCE_MAX_LENGTH = 1_398_104
"""The same in base64."""
IMAGE_MAX_LENGTH = 466_668
"""In base64, of each of the two that are made of it: a report with both is a request, too."""
ERROR_MAX_LENGTH = 10_000
FAILED_KEPT = timedelta(days=7)
PRUNE_AVATARS = 100
# An avatar never changes: another one has another address. No longer, because people are banned, or leave.
CACHE_CONTROL = "public, max-age=604800, immutable"

SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
"""By which JPEG, PNG and GIF begin; WebP has a length in between."""


class AvatarSize(IntEnum):
    """Width and height in pixels."""

    SMALL = 96
    LARGE = 512


class AvatarState(StrEnum):
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class AvatarError(StrEnum):
    """Why an upload never becomes an avatar."""

    IMAGE_UNREADABLE = "image_unreadable"
    IMAGE_TOO_LARGE = "image_too_large"
    PROCESSING_FAILED = "processing_failed"
