"""Known devices: on them an owner is not kept out by strangers who guess, and others are told of."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts.constants import NoticeKind
from auth.accounts.service import notify_owner
from auth.devices.constants import DEVICE_LIFETIME, MAX_DEVICES, PRUNE_DEVICES
from auth.devices.models import KnownDevice
from auth.devices.queries import KNOWN_DEVICE
from auth.devices.utils import describe_device
from auth.sessions.service import DeviceInfo
from chassis.database.queries import Reader
from chassis.schemas import format_datetime


@dataclass(frozen=True, slots=True)
class ThisDevice:
    """The device of a request: by the token that it showed, or with a new id."""

    id: UUID
    token: str = field(repr=False)
    """What it shows next time."""
    info: DeviceInfo
    has_shown_token: bool


async def is_known_device(reader: Reader, device: ThisDevice, profile_id: UUID) -> bool:
    if not device.has_shown_token:
        return False
    return await reader.fetch_row(KNOWN_DEVICE, profile_id=profile_id, device_id=device.id) is not None


async def remember_device(session: AsyncSession, device: ThisDevice, profile_id: UUID) -> None:
    """Known from now on. Only for who has proved to be the owner."""
    await _upsert_device(session, device, profile_id)


async def admit_device(session: AsyncSession, device: ThisDevice, profile_id: UUID) -> None:
    """After a login: known from now on, and the owner told if it was not; but not of the first of all."""
    is_first, was_known = await _upsert_device(session, device, profile_id)
    if was_known or is_first:
        return
    details = {
        "device": describe_device(device.info.user_agent),
        "address": device.info.address or "",
        "time": format_datetime(datetime.now(UTC)),
    }
    await notify_owner(session, profile_id, NoticeKind.NEW_DEVICE, details)
    await _forget_superfluous(session, profile_id)


async def _upsert_device(session: AsyncSession, device: ThisDevice, profile_id: UUID) -> tuple[bool, bool]:
    """Whether it is the account's first, and whether the account knew it."""
    own = KnownDevice.profile_id == profile_id
    # Both look at the rows as they were before this statement.
    before = select(func.count()).select_from(KnownDevice).where(own).scalar_subquery()
    old = (
        select(func.count())
        .select_from(KnownDevice)
        .where(own, KnownDevice.device_id == device.id, KnownDevice.seen_at > func.now() - DEVICE_LIFETIME)
        .scalar_subquery()
    )
    name, address = describe_device(device.info.user_agent), device.info.address
    statement = (
        insert(KnownDevice)
        .values(profile_id=profile_id, device_id=device.id, name=name, address=address)
        .on_conflict_do_update(
            index_elements=[KnownDevice.profile_id, KnownDevice.device_id],
            set_={"name": name, "address": address, "seen_at": func.now()},
        )
        .returning(before, old)
    )
    known, was_known = (await session.execute(statement)).one()
    return known == 0, was_known > 0


async def _forget_superfluous(session: AsyncSession, profile_id: UUID) -> None:
    newest = (
        select(KnownDevice.device_id)
        .where(KnownDevice.profile_id == profile_id)
        .order_by(KnownDevice.seen_at.desc())
        .limit(MAX_DEVICES)
    )
    own = KnownDevice.profile_id == profile_id
    await session.execute(delete(KnownDevice).where(own, KnownDevice.device_id.not_in(newest)))


async def forget_devices(session: AsyncSession, profile_id: UUID, *, except_id: UUID | None = None) -> None:
    """When somebody else may have been in the account: their device is new again, and its next login is told."""
    statement = delete(KnownDevice).where(KnownDevice.profile_id == profile_id)
    if except_id is not None:
        statement = statement.where(KnownDevice.device_id != except_id)
    await session.execute(statement)


async def delete_unseen_devices(session: AsyncSession) -> int:
    """Some of those that have not been seen for a year; how many."""
    unseen = (
        select(KnownDevice.profile_id, KnownDevice.device_id)
        .where(KnownDevice.seen_at < func.now() - DEVICE_LIFETIME)
        .limit(PRUNE_DEVICES)
        .with_for_update(skip_locked=True)
        .cte("unseen")
    )
    is_unseen = (KnownDevice.profile_id == unseen.c.profile_id) & (KnownDevice.device_id == unseen.c.device_id)
    deleted = await session.scalars(delete(KnownDevice).where(is_unseen).returning(KnownDevice.device_id))
    return len(deleted.all())
