"""Mails about an account itself. They go out whatever one has switched off, also to who may not log in any more."""

from typing import Any

from sqlalchemy import Select, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import ExportCompleted, SecurityNoticed
from notifications.deliveries.constants import EmailKind
from notifications.deliveries.service import create_emails
from notifications.inbox.service import create_notification
from notifications.inbox.utils import Message
from notifications.notices.utils import write_export_completed, write_notice
from notifications.readers.models import Reader


async def notice_owner(session: AsyncSession, event: SecurityNoticed) -> None:
    message = write_notice(event)
    await create_notification(session, event.user_id, message)
    await create_emails(session, select_email(EmailKind.SECURITY_NOTICE, event, message, email=event.email))


async def announce_export(session: AsyncSession, event: ExportCompleted) -> None:
    message = write_export_completed(event)
    await create_notification(session, event.user_id, message)
    await create_emails(session, select_email(EmailKind.EXPORT_COMPLETED, event, message))


def select_email(
    kind: EmailKind, event: SecurityNoticed | ExportCompleted, message: Message, *, email: str | None = None
) -> Select[Any]:
    """One mail, to the address named or to the reader's; none where neither is known."""
    recipient = func.coalesce(literal(email), Reader.email)
    params = message.data | {"title": message.title, "text": message.text, "path": message.link}
    return select(
        literal(kind.value).label("kind"),
        literal(message.subject_id).label("subject_id"),
        Reader.user_id.label("recipient_id"),
        recipient.label("recipient"),
        (
            literal(params, JSONB) + func.jsonb_build_object("first_name", func.coalesce(Reader.first_name, "there"))
        ).label("params"),
    ).where(Reader.user_id == event.user_id, recipient.is_not(None))
