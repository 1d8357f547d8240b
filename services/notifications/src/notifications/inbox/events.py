"""Consumed from auth and posts: what one reader is told of, and the mails that go with it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import (
    UserBanned,
    UserConfirmed,
    UserRegistered,
    UserUnbanned,
    UserUpdated,
)
from chassis.contracts.base import EventEnvelope
from chassis.contracts.posts import ReviewCreated
from notifications.deliveries.service import create_confirmation_email, create_emails
from notifications.inbox.service import create_notification, select_emails
from notifications.inbox.utils import write_review_created, write_welcome
from notifications.readers.service import (
    ban_reader,
    confirm_reader,
    get_full_name,
    lock_readers,
    update_reader,
)


async def handle_user_registered(session: AsyncSession, event: UserRegistered, envelope: EventEnvelope) -> None:
    await lock_readers(session)
    await update_reader(session, event, seq=envelope.aggregate_seq)
    await create_notification(session, event.user_id, write_welcome(event))
    await create_confirmation_email(
        session,
        confirmation_id=event.confirmation_id,
        user_id=event.user_id,
        email=event.email,
        first_name=event.first_name,
    )
    await create_missed_emails(session, event.user_id)


async def handle_user_confirmed(session: AsyncSession, event: UserConfirmed, _: EventEnvelope) -> None:
    await lock_readers(session)
    await confirm_reader(session, event.user_id)
    await create_missed_emails(session, event.user_id)


async def handle_user_updated(session: AsyncSession, event: UserUpdated, envelope: EventEnvelope) -> None:
    await lock_readers(session)
    await update_reader(session, event, seq=envelope.aggregate_seq)


async def handle_user_banned(session: AsyncSession, event: UserBanned, envelope: EventEnvelope) -> None:
    await lock_readers(session)
    await ban_reader(session, event.user_id, is_banned=True, seq=envelope.aggregate_seq)


async def handle_user_unbanned(session: AsyncSession, event: UserUnbanned, envelope: EventEnvelope) -> None:
    await lock_readers(session)
    await ban_reader(session, event.user_id, is_banned=False, seq=envelope.aggregate_seq)


async def handle_review_created(session: AsyncSession, event: ReviewCreated, _: EventEnvelope) -> None:
    await lock_readers(session, shared=True)
    message = write_review_created(event, await get_full_name(session, event.reviewer_id))
    await create_notification(session, event.creator_id, message)
    await create_emails(session, select_emails([event.creator_id], message))


async def create_missed_emails(session: AsyncSession, user_id: UUID) -> None:
    """The two feeds do not wait for one another: a post may be told of before its reader's address was known."""
    await create_emails(session, select_emails([user_id]))
