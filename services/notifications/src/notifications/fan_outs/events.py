"""Consumed from posts: what all followers of a creator are told of."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.base import EventEnvelope
from chassis.contracts.posts import PostPublished
from notifications.fan_outs.service import create_fan_out
from notifications.inbox.utils import write_post_published
from notifications.readers.service import get_full_name


async def handle_post_published(session: AsyncSession, event: PostPublished, _: EventEnvelope) -> None:
    message = write_post_published(event, await get_full_name(session, event.creator_id))
    await create_fan_out(session, event.creator_id, message)
