"""Consumed from auth: what its owner must hear of an account, and the mails with a link."""

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import ConfirmationRequested, ExportCompleted, SecurityNoticed
from chassis.contracts.base import EventEnvelope
from notifications.deliveries.service import create_confirmation_email
from notifications.notices.constants import LINK_KINDS
from notifications.notices.service import announce_export, notice_owner
from notifications.readers.service import refuse_unusable_address


async def handle_confirmation_requested(session: AsyncSession, event: ConfirmationRequested, _: EventEnvelope) -> None:
    refuse_unusable_address(event.user_id, event.email)
    await create_confirmation_email(
        session,
        confirmation_id=event.confirmation_id,
        user_id=event.user_id,
        email=event.email,
        first_name=event.first_name,
        kind=LINK_KINDS[event.purpose],
    )


async def handle_security_noticed(session: AsyncSession, event: SecurityNoticed, _: EventEnvelope) -> None:
    if event.email is not None:
        refuse_unusable_address(event.user_id, event.email)
    await notice_owner(session, event)


async def handle_export_completed(session: AsyncSession, event: ExportCompleted, _: EventEnvelope) -> None:
    await announce_export(session, event)
