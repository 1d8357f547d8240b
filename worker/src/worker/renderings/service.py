"""One rendering: claimed, rendered, reported."""

from uuid import UUID

from chassis.http.sync import SyncServiceClient
from worker.jobs import claim_job
from worker.renderings.schemas import RenderingClaim
from worker.renderings.utils import render_article


def render_post(owner: SyncServiceClient, rendering_id: UUID) -> None:
    """Raises a JobError when the article cannot be rendered, UpstreamError when its owner is away or has it no more."""
    with claim_job(owner, "renderings", rendering_id, RenderingClaim) as job:
        article = render_article(job.claim.markdown, document_id=job.claim.post_id.hex)
        job.report_result(html=article.html, excerpt=article.excerpt)
