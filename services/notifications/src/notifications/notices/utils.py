"""What notices and export messages say."""

from collections.abc import Mapping

from chassis.contracts.accounts import ExportCompleted, SecurityNoticed
from notifications.inbox.constants import NotificationKind
from notifications.inbox.utils import Message
from notifications.notices.constants import ACCOUNT_LINK, DETAIL_LABELS, EXPORTS_LINK, NOTICES, UNKNOWN_NOTICE


def write_notice(event: SecurityNoticed) -> Message:
    notice = NOTICES.get(event.kind, UNKNOWN_NOTICE)
    return Message(
        kind=NotificationKind.SECURITY_NOTICE,
        subject_id=event.notice_id,
        title=notice.title,
        text=notice.text,
        link=ACCOUNT_LINK,
        data={"notice": event.kind, "title": notice.title, "details": list_details(event.details)},
    )


def list_details(details: Mapping[str, str]) -> list[str]:
    """As lines, those we know, in our order; nothing that we do not know gets into a mail."""
    return [f"{label}: {details[name]}" for name, label in DETAIL_LABELS.items() if name in details]


def write_export_completed(event: ExportCompleted) -> Message:
    return Message(
        kind=NotificationKind.EXPORT_COMPLETED,
        subject_id=event.export_id,
        title="The copy of your data is ready",
        text=f"Fetch it until {event.expires_at:%-d %B %Y, %H:%M} UTC.",
        link=f"{EXPORTS_LINK}/{event.export_id}/archive",
        data={"export_id": str(event.export_id)},
    )
