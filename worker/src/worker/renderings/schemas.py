"""An article as its owner gives it to us, and what we make of it."""

from dataclasses import dataclass
from uuid import UUID

from worker.jobs import JobClaim


class RenderingClaim(JobClaim):
    """The Markdown of one version; its length is checked where it is rendered, so that the owner hears of it."""

    rendering_id: UUID
    post_id: UUID
    markdown: str


@dataclass(frozen=True)
class RenderedArticle:
    """Safe HTML, and the beginning as plain text."""

    html: str
    excerpt: str
