"""The life of a rendering. Whoever holds both locks the post first, then its rendering: two orders could deadlock."""

from uuid import UUID

from sqlalchemy import Text, and_, delete, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.engine import Database
from chassis.jobs.exceptions import JobNotFoundError
from chassis.jobs.models import JobState
from chassis.jobs.service import claim_job, complete_job, fail_job
from chassis.jobs.sources import JobSource
from posts.posts.constants import HTML_MAX_BYTES, PublicationError
from posts.posts.models import Post, PostRendering
from posts.posts.service import apply_rendering, apply_rendering_failure, lock_post
from posts.renderings.constants import KEEP, PRUNE_RENDERINGS, RENDER_QUEUE, RENDER_TASK
from posts.renderings.schemas import RenderingClaim, RenderingFailure, RenderingResult

RENDERINGS = JobSource(PostRendering, RENDER_TASK, RENDER_QUEUE)

# As text in the statement, so that the planner sees that the partial index applies.
IS_DEAD = PostRendering.state == literal_column("'dead'", Text())


async def claim_rendering(session: AsyncSession, rendering_id: UUID) -> RenderingClaim:
    """Raises JobNotFoundError, JobNotClaimableError."""
    rendering = await claim_job(session, PostRendering, rendering_id)
    # A change of the post ends its open renderings first, so this is the body of the very version.
    markdown = await session.scalar(select(Post.body).where(Post.id == rendering.post_id))
    return RenderingClaim.model_validate(
        {
            "rendering_id": rendering.id,
            "fence": rendering.fence,
            "lease_ends_at": rendering.lease_ends_at,
            "post_id": rendering.post_id,
            "version": rendering.version,
            "markdown": markdown,
        }
    )


async def complete_rendering(session: AsyncSession, rendering_id: UUID, result: RenderingResult) -> None:
    """Raises JobNotFoundError, StaleFenceError. The same report twice does nothing more."""
    if len(result.html.encode()) > HTML_MAX_BYTES:
        await fail_rendering(session, rendering_id, _describe_too_large(result))
        return
    post = await _lock_post(session, rendering_id)
    rendering = await complete_job(session, PostRendering, rendering_id, fence=result.fence)
    if rendering is not None:
        await apply_rendering(session, post, rendering.version, html=result.html, excerpt=result.excerpt)


def _describe_too_large(result: RenderingResult) -> RenderingFailure:
    code = PublicationError.HTML_TOO_LARGE
    return RenderingFailure(fence=result.fence, error="the HTML is too large", code=code, permanent=True)


async def fail_rendering(session: AsyncSession, rendering_id: UUID, failure: RenderingFailure) -> None:
    """Tried again later, unless that is pointless. Raises JobNotFoundError, StaleFenceError."""
    post = await _lock_post(session, rendering_id)
    rendering = await fail_job(
        session,
        PostRendering,
        rendering_id,
        fence=failure.fence,
        error=failure.error,
        permanent=failure.permanent,
    )
    if rendering is not None and rendering.state == JobState.DEAD:
        await apply_rendering_failure(session, post, rendering.version, failure.code)


async def fail_dead_publications(database: Database) -> None:
    """Tell the creators whose renderings were given up with no report: their workers never came back."""
    async with database.transaction() as session:
        dead = (
            select(Post.id)
            .join(PostRendering, and_(PostRendering.post_id == Post.id, PostRendering.version == Post.version))
            .where(IS_DEAD, Post.publication_error.is_(None))
        )
        post_ids = (await session.scalars(dead)).all()
    for post_id in post_ids:
        async with database.transaction() as session:
            await _fail_dead_publication(session, post_id)


async def _fail_dead_publication(session: AsyncSession, post_id: UUID) -> None:
    """Looks again under the lock: meanwhile its creator may have changed it, or tried anew."""
    post = await lock_post(session, post_id)
    if post is None:
        return
    dead = select(PostRendering.id).where(
        PostRendering.post_id == post.id, PostRendering.version == post.version, IS_DEAD
    )
    if await session.scalar(dead) is not None:
        await apply_rendering_failure(session, post, post.version, PublicationError.RENDERING_FAILED)


async def delete_old_renderings(database: Database) -> None:
    """Finished ones are of use only to who looks for a fault. In small transactions: a long one holds back the feed."""
    while await _delete_some_renderings(database):
        pass


async def _delete_some_renderings(database: Database) -> int:
    """Never waits for a row: a post that is deleted takes its renderings along, in an order of its own."""
    old = (
        select(PostRendering.id)
        .where(PostRendering.finished_at < func.now() - KEEP)
        .limit(PRUNE_RENDERINGS)
        .with_for_update(skip_locked=True)
    )
    statement = delete(PostRendering).where(PostRendering.id.in_(old)).returning(PostRendering.id)
    async with database.transaction() as session:
        return len((await session.scalars(statement)).all())


async def _lock_post(session: AsyncSession, rendering_id: UUID) -> Post:
    post_id = await session.scalar(select(PostRendering.post_id).where(PostRendering.id == rendering_id))
    post = None if post_id is None else await lock_post(session, post_id)
    if post is None:
        raise JobNotFoundError
    return post
