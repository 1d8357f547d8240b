"""Consumed from auth and posts: what readers are told of, and the mails that go with it."""

from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import UserConfirmed, UserRegistered
from chassis.contracts.base import EventEnvelope
from chassis.contracts.posts import PostPublished, ReviewCreated
from notifications.deliveries.service import create_confirmation_email, create_emails
from notifications.inbox.models import Notification
from notifications.inbox.service import create_follower_notifications, create_notification, select_emails
from notifications.inbox.utils import Message, write_post_published, write_review_created, write_welcome
from notifications.readers.service import confirm_reader, get_full_name, select_followers, update_reader


async def handle_user_registered(session: AsyncSession, event: UserRegistered, envelope: EventEnvelope) -> None:
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
    await confirm_reader(session, event.user_id)
    await create_missed_emails(session, event.user_id)


async def handle_post_published(session: AsyncSession, event: PostPublished, _: EventEnvelope) -> None:
    message = write_post_published(event, await get_full_name(session, event.creator_id))
    await create_follower_notifications(session, event.creator_id, message)
    is_follower = Notification.recipient_id.in_(select_followers(event.creator_id))
    await create_emails(session, select_emails(is_follower, *is_about(message)))


async def handle_review_created(session: AsyncSession, event: ReviewCreated, _: EventEnvelope) -> None:
    message = write_review_created(event, await get_full_name(session, event.reviewer_id))
    await create_notification(session, event.creator_id, message)
    await create_emails(session, select_emails(Notification.recipient_id == event.creator_id, *is_about(message)))


def is_about(message: Message) -> tuple[ColumnElement[bool], ...]:
    return Notification.kind == message.kind.value, Notification.subject_id == message.subject_id


async def create_missed_emails(session: AsyncSession, user_id: UUID) -> None:
    """The two feeds do not wait for one another: a post may be told of before its reader's address was known."""
    await create_emails(session, select_emails(Notification.recipient_id == user_id))
