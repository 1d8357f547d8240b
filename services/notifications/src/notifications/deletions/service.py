"""People who are gone: their inbox, their address and their name, in what others were told as well."""

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.engine import Database
from chassis.events.dead import forget_dead_events
from notifications.deletions.constants import LATE
from notifications.deliveries.service import blank_emails_to, drop_emails
from notifications.fan_outs.models import FanOut
from notifications.inbox.service import FORGET_BATCH, delete_notifications, forget_some
from notifications.readers.models import Reader
from notifications.readers.service import forget_reader, lock_readers


async def forget_person(session: AsyncSession, user_id: UUID) -> None:
    """Doing it again does no harm. The name in others' inboxes goes in batches, by `forget_late`."""
    await lock_readers(session)
    await forget_reader(session, user_id)
    await delete_notifications(session, user_id)
    await drop_emails(session, user_id)
    await session.execute(delete(FanOut).where(FanOut.creator_id == user_id))
    await forget_dead_events(session, user_id)


async def forget_late(database: Database) -> None:
    """For some time: the last mail goes out after the account is gone, and events of posts may come later still."""
    gone = select(Reader.user_id).where(Reader.deleted_at > func.now() - LATE)
    async with database.transaction() as session:
        await blank_emails_to(session, gone)
    forgotten = FORGET_BATCH
    while forgotten == FORGET_BATCH:
        # In small transactions: a long one would hold back every feed of the server.
        async with database.transaction() as session:
            forgotten = await forget_some(session, gone)
