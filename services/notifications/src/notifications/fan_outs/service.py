"""Telling the followers of a creator, in chunks: the first one at once, the rest by the background process."""

import asyncio
from contextlib import suppress
from uuid import UUID

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.context import bind_context
from chassis.database.engine import Database
from chassis.events.listener import Listener
from chassis.logs import get_logger
from notifications.deliveries.service import create_emails
from notifications.fan_outs.constants import CHUNK, FAN_OUT_CHANNEL, LOOK_SECONDS, RETRY_SECONDS
from notifications.fan_outs.models import FanOut
from notifications.inbox.constants import NotificationKind
from notifications.inbox.service import create_notifications, select_emails
from notifications.inbox.utils import Message
from notifications.readers.service import lock_readers, select_followers

logger = get_logger(__name__)


async def create_fan_out(session: AsyncSession, creator_id: UUID, message: Message) -> None:
    """Tell the first followers in this transaction, and write down that there are more, if so."""
    after_id = await notify_followers(session, creator_id, message)
    if after_id is None:
        return
    fan_out = FanOut(
        creator_id=creator_id,
        after_id=after_id,
        kind=message.kind.value,
        subject_id=message.subject_id,
        title=message.title,
        text=message.text,
        link=message.link,
        data=message.data,
    )
    session.add(fan_out)
    # Heard at the commit, and not at all after a rollback.
    await session.execute(select(func.pg_notify(FAN_OUT_CHANNEL, "")))


async def notify_followers(
    session: AsyncSession, creator_id: UUID, message: Message, *, after_id: UUID | None = None
) -> UUID | None:
    """One chunk: notifications, and mails to those who are confirmed. Returns its last follower; None at the end."""
    await lock_readers(session, shared=True)
    follower_ids = (await session.scalars(select_followers(creator_id, after_id=after_id).limit(CHUNK))).all()
    await create_notifications(session, follower_ids, message)
    await create_emails(session, select_emails(follower_ids, message))
    return follower_ids[-1] if len(follower_ids) == CHUNK else None


async def continue_fan_out(database: Database) -> bool:
    """The next chunk of one that no other process is at, and where it ends: one transaction. False if there is none."""
    # Any of them, not the oldest: one that fails holds up no other.
    query = select(FanOut).order_by(func.random()).limit(1).with_for_update(skip_locked=True)
    async with database.transaction() as session:
        fan_out = await session.scalar(query)
        if fan_out is None:
            return False
        with bind_context(traceparent=fan_out.traceparent):
            after_id = await notify_followers(
                session, fan_out.creator_id, get_message(fan_out), after_id=fan_out.after_id
            )
        if after_id is None:
            await session.delete(fan_out)
        else:
            fan_out.after_id = after_id
    return True


def get_message(fan_out: FanOut) -> Message:
    return Message(
        kind=NotificationKind(fan_out.kind),
        subject_id=fan_out.subject_id,
        title=fan_out.title,
        text=fan_out.text,
        link=fan_out.link,
        data=fan_out.data,
    )


class FanOutRunner:
    """One in each background process; several share the work."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wake = asyncio.Event()
        self._listener = Listener(database, FAN_OUT_CHANNEL, self._wake.set)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listener.run())
            group.create_task(self._run_rounds())

    async def _run_rounds(self) -> None:
        while True:
            self._wake.clear()
            if await self._try_chunk():
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()

    async def _try_chunk(self) -> bool:
        """True when there may be more."""
        try:
            return await continue_fan_out(self._database)
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            logger.warning("fan_out_put_off", reason=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
            return True
