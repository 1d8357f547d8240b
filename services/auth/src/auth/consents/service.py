"""What people let the apps of others do: remembered, shown to them, and taken back at any time."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.apps.schemas import RegisteredApp
from auth.apps.service import hold_scopes
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.codes.service import delete_codes
from auth.consents.exceptions import ConsentNotFoundError
from auth.consents.models import Consent
from auth.consents.queries import LIST_CONSENTS
from auth.sessions.constants import EndReason
from auth.sessions.service import DeviceInfo, end_sessions
from chassis.database.queries import Reader
from chassis.pagination import PageBytes, PageParams


async def fetch_consents(reader: Reader, profile_id: UUID, params: PageParams) -> PageBytes:
    page = await LIST_CONSENTS.fetch_page(reader, params, scope=str(profile_id), profile_id=profile_id)
    assert page is not None  # noqa: S101 - the list has no owner that could be missing
    return page


async def is_covered(session: AsyncSession, profile_id: UUID, app_id: UUID, scopes: Collection[str]) -> bool:
    """Whether all of it was allowed before. If so it stays so until the end of the transaction."""
    query = select(Consent.scopes).where(Consent.profile_id == profile_id, Consent.app_id == app_id)
    allowed = (await session.scalars(query.with_for_update(read=True))).one_or_none()
    return allowed is not None and set(scopes) <= set(allowed)


async def give_consent(
    session: AsyncSession, profile_id: UUID, app: RegisteredApp, scopes: Collection[str], device: DeviceInfo
) -> None:
    """In addition to what was allowed before; the owner is told where that is more. The caller holds the app."""
    empty = insert(Consent).values(profile_id=profile_id, app_id=app.id, scopes=[])
    await session.execute(empty.on_conflict_do_nothing())
    own = select(Consent).where(Consent.profile_id == profile_id, Consent.app_id == app.id)
    consent = (await session.scalars(own.with_for_update())).one()
    if set(scopes) <= set(consent.scopes):
        return
    consent.scopes = sorted({*scopes, *consent.scopes})
    await session.flush()
    details = {"client_id": app.client_id, "app": app.name, "scope": " ".join(sorted(scopes))}
    await accounts.notify_owner(session, profile_id, NoticeKind.APP_ALLOWED, {"app": app.name})
    await record(session, AuditAction.CONSENT_GIVEN, subject_id=profile_id, address=device.address, details=details)


async def withdraw_consent(session: AsyncSession, profile_id: UUID, app_id: UUID, device: DeviceInfo) -> None:
    """All tokens of the app for this person end. Raises ConsentNotFoundError.

    In this order: no code is given any more, none redeemed, and the sessions that there are by then are seen.
    """
    await hold_scopes(session, app_id)
    own = delete(Consent).where(Consent.profile_id == profile_id, Consent.app_id == app_id)
    if (await session.scalars(own.returning(Consent.app_id))).one_or_none() is None:
        raise ConsentNotFoundError
    await delete_codes(session, app_id, profile_id)
    await end_sessions(session, EndReason.CONSENT_WITHDRAWN, profile_id=profile_id, client_id=str(app_id))
    details = {"client_id": str(app_id)}
    await record(session, AuditAction.CONSENT_WITHDRAWN, subject_id=profile_id, address=device.address, details=details)
