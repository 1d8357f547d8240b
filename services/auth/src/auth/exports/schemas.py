from typing import Annotated
from uuid import UUID

from pydantic import Base64Encoder, EncodedBytes, Field

from auth.exports.constants import CHUNK_MAX_BYTES, CHUNK_MAX_LENGTH, ERROR_MAX_LENGTH, MAX_CHUNKS, ExportState
from chassis.schemas import CustomModel, InputModel, UtcDatetime

Fence = Annotated[int, Field(ge=1, le=2**63 - 1)]


class ExportRead(CustomModel):
    """A copy of one's own data. Once it is `ready`, the archive can be fetched until it expires."""

    id: UUID
    state: ExportState
    size: int | None = Field(ge=0, description="Of the archive, in bytes.")
    created_at: UtcDatetime
    expires_at: UtcDatetime | None


class ExportClaim(CustomModel):
    """The job is the caller's until `lease_ends_at`; its reports carry the fence."""

    export_id: UUID
    user_id: UUID
    fence: Fence
    lease_ends_at: UtcDatetime


class ExportChunkInput(InputModel):
    """A piece of the archive: all but the last are of the same size."""

    fence: Fence
    number: int = Field(ge=0, lt=MAX_CHUNKS)
    # The length first: it is that of the text, not of what it holds.
    content: Annotated[bytes, Field(max_length=CHUNK_MAX_LENGTH), EncodedBytes(encoder=Base64Encoder)]


class ExportResult(InputModel):
    fence: Fence
    chunks: int = Field(ge=1, le=MAX_CHUNKS)
    size: int = Field(ge=1, le=MAX_CHUNKS * CHUNK_MAX_BYTES)


class ExportFailure(InputModel):
    fence: Fence
    error: str = Field(max_length=ERROR_MAX_LENGTH, description="For operators.")
    permanent: bool = Field(default=False, description="No further try could end in another way.")
