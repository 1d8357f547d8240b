"""What this service contributes to a copy of somebody's data."""

from sqlalchemy import select

from chassis.database.queries import json_object, rfc3339
from chassis.exports import USER_ID, ExportPart
from chassis.pagination import PageQuery
from notifications.deliveries.models import DeliveryEmail
from notifications.inbox.models import Notification
from notifications.readers.models import Reader

_READER = PageQuery(
    "export-reader",
    select(Reader).where(Reader.user_id == USER_ID, Reader.deleted_at.is_(None)),
    item=json_object(
        email=Reader.email,
        username=Reader.username,
        first_name=Reader.first_name,
        last_name=Reader.last_name,
        is_confirmed=Reader.is_confirmed,
        is_banned=Reader.is_banned,
        created_at=rfc3339(Reader.created_at),
    ),
    moment=Reader.created_at,
    item_id=Reader.user_id,
)
_NOTIFICATIONS = PageQuery(
    "export-notifications",
    select(Notification).where(Notification.recipient_id == USER_ID),
    item=json_object(
        kind=Notification.kind,
        title=Notification.title,
        text=Notification.text,
        data=Notification.data,
        created_at=rfc3339(Notification.created_at),
        read_at=rfc3339(Notification.read_at),
    ),
    moment=Notification.created_at,
    item_id=Notification.id,
)
_EMAILS = PageQuery(
    "export-emails",
    select(DeliveryEmail).where(DeliveryEmail.recipient_id == USER_ID),
    item=json_object(
        kind=DeliveryEmail.kind,
        recipient=DeliveryEmail.recipient,
        state=DeliveryEmail.state,
        created_at=rfc3339(DeliveryEmail.created_at),
        finished_at=rfc3339(DeliveryEmail.finished_at),
    ),
    moment=DeliveryEmail.created_at,
    item_id=DeliveryEmail.id,
)

PARTS = (
    ExportPart("contact", "Where and how we write to you", _READER),
    ExportPart("inbox", "What you were told", _NOTIFICATIONS),
    ExportPart("emails", "Mails to you; after 30 days without the address", _EMAILS),
)
