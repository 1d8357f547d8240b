"""The hot reads of the inbox: one statement each, their JSON built by PostgreSQL."""

from sqlalchemy import bindparam, func, select

from chassis.database.queries import HotQuery, json_object, rfc3339
from chassis.pagination import PageQuery
from notifications.inbox.models import Notification

_ITEM = json_object(
    id=Notification.id,
    kind=Notification.kind,
    title=Notification.title,
    text=Notification.text,
    link=Notification.link,
    data=Notification.data,
    created_at=rfc3339(Notification.created_at),
    read_at=rfc3339(Notification.read_at),
)
_IS_MINE = Notification.recipient_id == bindparam("recipient_id")
_IS_UNREAD = Notification.read_at.is_(None)

LIST_NOTIFICATIONS = PageQuery(
    "notifications",
    select(Notification).where(_IS_MINE),
    item=_ITEM,
    moment=Notification.created_at,
    item_id=Notification.id,
)
LIST_UNREAD_NOTIFICATIONS = PageQuery(
    "notifications-unread",
    select(Notification).where(_IS_MINE, _IS_UNREAD),
    item=_ITEM,
    moment=Notification.created_at,
    item_id=Notification.id,
)
COUNT_UNREAD = HotQuery(
    select(json_object(unread_count=func.count()).label("body")).select_from(Notification).where(_IS_MINE, _IS_UNREAD)
)
