"""Consumed from posts: who follows whom."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.base import EventEnvelope
from chassis.contracts.posts import CreatorFollowed, CreatorUnfollowed
from notifications.readers.service import update_follow


async def handle_creator_followed(session: AsyncSession, event: CreatorFollowed, envelope: EventEnvelope) -> None:
    await update_follow(
        session,
        creator_id=event.creator_id,
        follower_id=event.follower_id,
        is_following=True,
        seq=envelope.aggregate_seq,
    )


async def handle_creator_unfollowed(session: AsyncSession, event: CreatorUnfollowed, envelope: EventEnvelope) -> None:
    await update_follow(
        session,
        creator_id=event.creator_id,
        follower_id=event.follower_id,
        is_following=False,
        seq=envelope.aggregate_seq,
    )
