from dataclasses import dataclass
from uuid import UUID

from pydantic import Base64Bytes

from worker.jobs import JobClaim


class AvatarClaim(JobClaim):
    avatar_id: UUID
    image: Base64Bytes


@dataclass(frozen=True)
class Avatar:
    """Two squares as WebP, with nothing in them but pixels."""

    small: bytes
    large: bytes
