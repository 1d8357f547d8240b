"""People who are gone: what they wrote goes, and what must stay, a rating in an average, names nobody."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.engine import Database
from chassis.events.dead import forget_dead_events
from chassis.idempotency import forget_answers
from posts.creators.models import IS_GONE, Creator
from posts.creators.service import forget_creator
from posts.deletions.constants import LATE
from posts.posts.service import delete_posts_of
from posts.reviews.service import anonymize_reviews_of


async def forget_person(session: AsyncSession, user_id: UUID) -> None:
    """Doing it again does no harm."""
    await delete_posts_of(session, user_id)
    await anonymize_reviews_of(session, user_id)
    await forget_creator(session, user_id)
    await forget_answers(session, user_id)
    await forget_dead_events(session, user_id)


async def forget_late(database: Database) -> None:
    """Once more, for some time: a request that was under way when the event came may have written afterwards."""
    recently = select(Creator.id).where(IS_GONE, Creator.hidden_at > func.now() - LATE)
    async with database.transaction() as session:
        gone = (await session.scalars(recently)).all()
    for user_id in gone:
        async with database.transaction() as session:
            await forget_person(session, user_id)
