"""Posts: written by their creators, published once their HTML is there."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import set_committed_value

from chassis.contracts.posts import PostPublished
from chassis.database.queries import Reader
from chassis.events.outbox import emit_event
from chassis.jobs.models import JobState, is_open
from chassis.pagination import PageBytes, PageParams
from posts.creators.exceptions import CreatorNotFoundError
from posts.creators.models import Creator
from posts.posts.constants import PostStatus, PublicationError
from posts.posts.models import Post, PostRendering
from posts.posts.queries import CREATOR_POSTS, POST, POSTS, POSTS_BY_CREATOR
from posts.posts.schemas import PostCreate, PostUpdate


@dataclass(frozen=True, slots=True)
class PostDocument:
    """A post as it goes out."""

    version: int
    body: bytes


async def list_posts(reader: Reader, params: PageParams, *, creator_id: UUID | None) -> PageBytes:
    if creator_id is None:
        page = await POSTS.fetch_page(reader, params)
    else:
        page = await POSTS_BY_CREATOR.fetch_page(reader, params, scope=str(creator_id), profile_id=creator_id)
    return _require_page(page)


async def list_creator_posts(reader: Reader, params: PageParams, profile_id: UUID) -> PageBytes:
    page = await CREATOR_POSTS.fetch_page(reader, params, scope=str(profile_id), profile_id=profile_id)
    return _require_page(page)


def _require_page(page: PageBytes | None) -> PageBytes:
    """None stands for a list of somebody who is no creator."""
    if page is None:
        raise CreatorNotFoundError
    return page


async def get_post_document(reader: Reader, post_id: UUID, viewer_id: UUID | None) -> PostDocument | None:
    row = await reader.fetch_row(POST, post_id=post_id, viewer_id=viewer_id)
    return None if row is None else PostDocument(row["version"], row["body"])


def _select_post(post_id: UUID) -> Select[Post]:
    return select(Post).where(Post.id == post_id).options(joinedload(Post.creator, innerjoin=True))


async def get_post(session: AsyncSession, post_id: UUID) -> Post | None:
    return (await session.scalars(_select_post(post_id))).one_or_none()


async def lock_post(session: AsyncSession, post_id: UUID) -> Post | None:
    """The post as it is now, held until the end of the transaction. Reviews may still refer to it meanwhile."""
    statement = _select_post(post_id).with_for_update(of=Post, key_share=True)
    return (await session.scalars(statement.execution_options(populate_existing=True))).one_or_none()


async def create_post(session: AsyncSession, creator: Creator, data: PostCreate) -> Post:
    post = Post(creator_id=creator.id, title=data.title, body=data.body)
    session.add(post)
    await session.flush()
    set_committed_value(post, "creator", creator)
    await _queue_rendering(session, post)
    return post


async def update_post(session: AsyncSession, post: Post, data: PostUpdate) -> Post:
    """Of a post held by `lock_post`. What is published stays as it is until the new HTML is there."""
    if (post.title, post.body) == (data.title, data.body):
        return post
    post.title, post.body = data.title, data.body
    post.version += 1
    post.publication_error = None
    await session.flush()
    await _drop_renderings(session, post)
    await _queue_rendering(session, post)
    return post


async def delete_post(session: AsyncSession, post: Post) -> None:
    await session.delete(post)
    await session.flush()


async def publish_post(session: AsyncSession, post: Post) -> Post:
    """Of a post held by `lock_post`: at once where the HTML is there, else as soon as it comes."""
    if post.status == PostStatus.PUBLISHED:
        return post
    if post.rendered_version == post.version:
        return await _complete_publication(session, post)
    post.status = PostStatus.PUBLISHING
    post.publication_error = None
    await session.flush()
    await _queue_rendering(session, post)
    return post


async def unpublish_post(session: AsyncSession, post: Post) -> None:
    post.status = PostStatus.DRAFT
    await session.flush()


async def apply_rendering(session: AsyncSession, post: Post, version: int, *, html: str, excerpt: str) -> None:
    """Of a post held by `lock_post`. What was made of an older version is not shown."""
    if version != post.version:
        return
    post.html, post.excerpt, post.rendered_version = html, excerpt, version
    post.publication_error = None
    if post.status != PostStatus.PUBLISHING:
        return
    hidden = select(Creator.id).where(Creator.id == post.creator_id, Creator.hidden_at.is_not(None))
    if await session.scalar(hidden):
        # Banned meanwhile: followers would be told of what nobody can read.
        post.status = PostStatus.DRAFT
        await session.flush()
    else:
        await _complete_publication(session, post)


async def apply_rendering_failure(session: AsyncSession, post: Post, version: int, error: PublicationError) -> None:
    """No further try will be made: the creator sees why; what was published before stays."""
    if version != post.version:
        return
    post.publication_error = error
    if post.status == PostStatus.PUBLISHING:
        post.status = PostStatus.DRAFT
    await session.flush()


async def _complete_publication(session: AsyncSession, post: Post) -> Post:
    """The first one is told; who followed the creator only after it hears nothing when the post comes back."""
    is_first = post.published_at is None
    post.status = PostStatus.PUBLISHED
    if is_first:
        post.published_at = await session.scalar(select(func.now()))
    await session.flush()
    if is_first:
        event = PostPublished(post_id=post.id, creator_id=post.creator_id, title=post.title, excerpt=post.excerpt or "")
        await emit_event(session, event, aggregate_id=post.id, aggregate_seq=1)
    return post


async def _queue_rendering(session: AsyncSession, post: Post) -> None:
    """Of the current version, unless it is under way; one that had been given up starts anew."""
    statement = insert(PostRendering).values(post_id=post.id, version=post.version)
    anew = {
        "state": JobState.QUEUED,
        "attempts": 0,
        "next_at": func.now(),
        "finished_at": None,
        "traceparent": statement.excluded.traceparent,
    }
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[PostRendering.post_id, PostRendering.version],
            set_=anew,
            where=PostRendering.state == JobState.DEAD,
        )
    )


async def _drop_renderings(session: AsyncSession, post: Post) -> None:
    """Nobody needs those of older versions any more; a worker that has one is heard out and ignored."""
    await session.execute(
        update(PostRendering)
        .where(PostRendering.post_id == post.id, is_open())
        .values(state=JobState.DONE, finished_at=func.now(), lease_ends_at=None)
        .execution_options(synchronize_session=False)
    )


async def delete_posts_of(session: AsyncSession, creator_id: UUID) -> None:
    """With their renderings and reviews."""
    await session.execute(delete(Post).where(Post.creator_id == creator_id))
