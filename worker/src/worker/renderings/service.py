"""One rendering: claimed, rendered, reported."""

from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded

from chassis.http.sync import SyncServiceClient
from worker.jobs import claim_job
from worker.renderings.constants import SOFT_TIME_LIMIT
from worker.renderings.exceptions import ArticleTooSlowError
from worker.renderings.schemas import RenderedArticle, RenderingClaim
from worker.renderings.utils import render_article


def render_post(owner: SyncServiceClient, rendering_id: UUID) -> None:
    """Raises a JobError when the article cannot be rendered, UpstreamError when its owner is away or has it no more."""
    with claim_job(owner, "renderings", rendering_id, RenderingClaim) as job:
        article = render(job.claim)
        job.report_result(html=article.html, excerpt=article.excerpt)


def render(claim: RenderingClaim) -> RenderedArticle:
    """Raises ArticleTooLargeError, ArticleTooSlowError."""
    try:
        return render_article(claim.markdown, document_id=claim.post_id.hex)
    except SoftTimeLimitExceeded as error:
        raise ArticleTooSlowError(f"The article takes more than {SOFT_TIME_LIMIT} s to render.") from error
