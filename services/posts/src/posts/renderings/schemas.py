from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel, InputModel, UtcDatetime
from posts.posts.constants import BODY_MAX_BYTES, EXCERPT_MAX_LENGTH, PublicationError
from posts.renderings.constants import ERROR_MAX_LENGTH, RESULT_MAX_LENGTH

FENCE_MAX = 2**63 - 1


class RenderingClaim(CustomModel):
    """The job is the caller's until `lease_ends_at`; its report carries the fence."""

    rendering_id: UUID
    fence: int = Field(ge=1, le=FENCE_MAX)
    lease_ends_at: UtcDatetime
    post_id: UUID
    version: int = Field(ge=1)
    markdown: str = Field(max_length=BODY_MAX_BYTES)


class RenderingResult(InputModel):
    fence: int = Field(ge=1, le=FENCE_MAX)
    html: str = Field(max_length=RESULT_MAX_LENGTH, description="Sanitised: it is shown to readers as it is.")
    excerpt: str = Field(max_length=EXCERPT_MAX_LENGTH, description="Plain text.")


class RenderingFailure(InputModel):
    fence: int = Field(ge=1, le=FENCE_MAX)
    error: str = Field(max_length=ERROR_MAX_LENGTH, description="For operators; the creator learns the code alone.")
    code: PublicationError = Field(
        default=PublicationError.RENDERING_FAILED,
        description="The `publication_error` that the creator sees once no further try is made.",
    )
    permanent: bool = Field(default=False, description="No further try could end in another way.")
