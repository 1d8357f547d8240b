from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Base64Bytes, Base64Encoder, EncodedBytes, Field
from pydantic_core import PydanticCustomError

from auth.avatars.constants import ERROR_MAX_LENGTH, IMAGE_MAX_LENGTH, SOURCE_MAX_LENGTH, AvatarError, AvatarState
from auth.avatars.utils import is_webp
from chassis.schemas import CustomModel, InputModel, UtcDatetime

FENCE_MAX = 2**63 - 1


def refuse_other_than_webp(content: bytes) -> bytes:
    """It is served as it is."""
    if not is_webp(content):
        raise PydanticCustomError("image_not_webp", "Must be a WebP image in base64")
    return content


# The length first: it is that of the text, not of what it holds.
WebpImage = Annotated[
    bytes,
    Field(max_length=IMAGE_MAX_LENGTH),
    EncodedBytes(encoder=Base64Encoder),
    AfterValidator(refuse_other_than_webp),
]


class AvatarRead(CustomModel):
    """What became of the newest upload. An avatar that was shown before is shown until this one is `ready`."""

    avatar_id: UUID
    state: AvatarState
    error: AvatarError | None = Field(description="Why it `failed`.")


class AvatarClaim(CustomModel):
    """The job is the caller's until `lease_ends_at`; its report carries the fence."""

    avatar_id: UUID
    fence: int = Field(ge=1, le=FENCE_MAX)
    lease_ends_at: UtcDatetime
    image: Base64Bytes = Field(max_length=SOURCE_MAX_LENGTH)


class AvatarResult(InputModel):
    fence: int = Field(ge=1, le=FENCE_MAX)
    small: WebpImage = Field(description="96 by 96 pixels.")
    large: WebpImage = Field(description="512 by 512 pixels.")


class AvatarFailure(InputModel):
    fence: int = Field(ge=1, le=FENCE_MAX)
    error: str = Field(max_length=ERROR_MAX_LENGTH, description="For operators; the owner learns the code alone.")
    code: AvatarError = Field(
        default=AvatarError.PROCESSING_FAILED, description="What its owner sees once no further try is made."
    )
    permanent: bool = Field(default=False, description="No further try could end in another way.")
