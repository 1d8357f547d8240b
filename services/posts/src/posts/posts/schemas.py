from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from chassis.schemas import CustomModel, InputModel, UtcDatetime
from posts.creators.schemas import CreatorRead
from posts.posts.constants import (
    BODY_MAX_BYTES,
    EXCERPT_MAX_LENGTH,
    HTML_MAX_BYTES,
    TITLE_MAX_LENGTH,
    PostStatus,
    PublicationError,
)


def check_body_size(body: str) -> str:
    if len(body.encode()) > BODY_MAX_BYTES:
        raise ValueError(f"at most {BODY_MAX_BYTES} bytes in UTF-8")
    return body


Title = Annotated[str, Field(min_length=1, max_length=TITLE_MAX_LENGTH, examples=["On small houses"])]
# Not stripped: four spaces before the first word make it code.
Body = Annotated[
    str,
    StringConstraints(min_length=1, max_length=BODY_MAX_BYTES, strip_whitespace=False),
    AfterValidator(check_body_size),
    Field(description="Markdown (CommonMark). At most 200,000 bytes in UTF-8.", examples=["# Small\n\nAnd *quiet*."]),
]


class PostCreate(InputModel):
    title: Title
    body: Body


class PostUpdate(InputModel):
    """Replaces both."""

    title: Title
    body: Body


class PostRatingRead(CustomModel):
    average: float | None = Field(ge=1, le=5, description="Of all reviews, to two decimals; null without any.")
    count: int = Field(ge=0)


class PostListItem(CustomModel):
    id: UUID
    title: str = Field(max_length=TITLE_MAX_LENGTH)
    excerpt: str | None = Field(max_length=EXCERPT_MAX_LENGTH, description="Plain text; null until rendered.")
    status: PostStatus
    version: int = Field(ge=1, description="Counts changes of title and body.")
    rating: PostRatingRead
    creator: CreatorRead
    created_at: UtcDatetime
    updated_at: UtcDatetime
    published_at: UtcDatetime | None = Field(description="Of the first publication.")


class PostRead(PostListItem):
    body: str | None = Field(max_length=BODY_MAX_BYTES, description="Markdown, for its creator; null for others.")
    html: str | None = Field(
        max_length=HTML_MAX_BYTES,
        description="Rendered and sanitised by the worker. While a new version is rendered, that of the former.",
    )
    publication_error: PublicationError | None = Field(
        description="Why the current version could not be published, for its creator; null for others."
    )
