from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    any_,
    cast,
    delete,
    func,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.queries import Reader as HotReader
from chassis.pagination import PageBytes, PageParams
from notifications.inbox.constants import NotificationKind
from notifications.inbox.exceptions import NotificationNotFoundError
from notifications.inbox.models import AUTHOR, IS_ABOUT_SOMEBODY, Notification
from notifications.inbox.queries import COUNT_UNREAD, LIST_NOTIFICATIONS, LIST_UNREAD_NOTIFICATIONS
from notifications.inbox.utils import Message
from notifications.readers.models import Reader

FORGET_BATCH = 5_000
MAILED_KINDS = (NotificationKind.POST_PUBLISHED, NotificationKind.REVIEW_CREATED)


async def list_notifications(
    reader: HotReader, recipient_id: UUID, page: PageParams, *, only_unread: bool
) -> PageBytes:
    query = LIST_UNREAD_NOTIFICATIONS if only_unread else LIST_NOTIFICATIONS
    found = await query.fetch_page(reader, page, scope=str(recipient_id), recipient_id=recipient_id)
    assert found is not None  # noqa: S101 - everybody has an inbox, if an empty one
    return found


async def count_unread(reader: HotReader, recipient_id: UUID) -> bytes:
    """The answer as JSON."""
    row = await reader.fetch_row(COUNT_UNREAD, recipient_id=recipient_id)
    assert row is not None  # noqa: S101 - a count without GROUP BY is always one row
    body: bytes = row["body"]
    return body


async def get_notification_or_raise(session: AsyncSession, notification_id: UUID, recipient_id: UUID) -> Notification:
    """Raises NotificationNotFoundError also for the notification of another."""
    query = select(Notification).where(Notification.id == notification_id, Notification.recipient_id == recipient_id)
    notification = await session.scalar(query)
    if notification is None:
        raise NotificationNotFoundError
    return notification


async def mark_notification_read(session: AsyncSession, notification: Notification) -> None:
    """The first time counts: a second call, also at the same moment, changes nothing."""
    unread = Notification.id == notification.id, Notification.read_at.is_(None)
    await session.execute(update(Notification).where(*unread).values(read_at=func.now()))


async def mark_all_read(session: AsyncSession, recipient_id: UUID) -> None:
    unread = Notification.recipient_id == recipient_id, Notification.read_at.is_(None)
    await session.execute(update(Notification).where(*unread).values(read_at=func.now()))


async def create_notification(session: AsyncSession, recipient_id: UUID, message: Message) -> None:
    await create_notifications(session, [recipient_id], message)


async def create_notifications(session: AsyncSession, recipient_ids: Sequence[UUID], message: Message) -> None:
    """One statement for all of them, known as readers or not; who was told of it before is not told again."""
    values: dict[str, Any] = {
        "kind": literal(message.kind.value),
        "subject_id": literal(message.subject_id),
        "title": literal(message.title),
        "text": literal(message.text),
        "link": literal(message.link),
        "data": literal(message.data, JSONB),
    }
    rows = select(func.unnest(to_array(recipient_ids)), *values.values())
    statement = insert(Notification).from_select(["recipient_id", *values], rows)
    await session.execute(statement.on_conflict_do_nothing())


async def delete_notifications(session: AsyncSession, recipient_id: UUID) -> None:
    await session.execute(delete(Notification).where(Notification.recipient_id == recipient_id))


async def forget_some(session: AsyncSession, gone: Select[UUID]) -> int:
    """Of what people who are gone were told, and of what others were told of them: it leads nowhere, or names them.

    How many of one or the other; a full batch may leave more.
    """
    told = select(Notification.id).where(Notification.recipient_id.in_(gone))
    people = gone.subquery()
    is_theirs = literal_column(AUTHOR, Text()).in_(select(cast(people.c[0], Text())))
    traces = select(Notification.id).where(is_theirs, text(IS_ABOUT_SOMEBODY))
    numbers = []
    for some in (told, traces):
        statement = delete(Notification).where(Notification.id.in_(some.limit(FORGET_BATCH)))
        numbers.append(len((await session.scalars(statement.returning(Notification.id))).all()))
    return max(numbers)


def to_array(ids: Sequence[UUID]) -> ColumnElement[Any]:
    """One parameter for any number of ids: the statement stays the same and is compiled once."""
    return literal(list(ids), ARRAY(postgresql.UUID(as_uuid=True)))


def select_emails(recipient_ids: Sequence[UUID], message: Message | None = None) -> Select[Any]:
    """The mails that go with notifications, in the shape that `deliveries.service.create_emails` takes.

    Only to readers whose address is known and confirmed; about everything unless a message is given.
    """
    about: list[ColumnElement[bool]] = []
    if message is not None:
        about = [Notification.kind == message.kind.value, Notification.subject_id == message.subject_id]
    params = Notification.data + func.jsonb_build_object("text", Notification.text, "first_name", Reader.first_name)
    return (
        select(
            Notification.kind.label("kind"),
            Notification.subject_id.label("subject_id"),
            Reader.user_id.label("recipient_id"),
            Reader.email.label("recipient"),
            params.label("params"),
        )
        .join(Reader, Reader.user_id == Notification.recipient_id)
        .where(Notification.recipient_id == any_(to_array(recipient_ids)), *about)
        .where(Reader.is_confirmed, ~Reader.is_banned, Reader.email.is_not(None), Notification.kind.in_(MAILED_KINDS))
    )
