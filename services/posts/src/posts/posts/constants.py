from enum import StrEnum

TITLE_MAX_LENGTH = 200
BODY_MAX_BYTES = 200_000
EXCERPT_MAX_LENGTH = 300
HTML_MAX_BYTES = 900_000
"""Rendered HTML comes as JSON in a request of at most 1 MiB."""


class PostStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHING = "publishing"
    """Asked to be published; becomes so when the HTML of the current version is there."""
    PUBLISHED = "published"


class PublicationError(StrEnum):
    """Why a version could not be published, for its creator."""

    RENDERING_FAILED = "rendering_failed"
    HTML_TOO_LARGE = "html_too_large"
