"""Users: the private account behind a public profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts.constants import ADDRESS_LOCK, ROLES_LOCK, TOLD_FIELDS, NoticeKind, Role
from auth.accounts.exceptions import LastAdminError
from auth.accounts.models import Account
from auth.accounts.queries import LOGIN, LOGIN_BY_EMAIL, LOGIN_BY_ID, OWN_PROFILE, WRITTEN_PROFILE
from auth.accounts.schemas import ProfileUpdate
from auth.accounts.utils import ProfileDocument, find_spelling
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.profiles.models import Profile
from auth.profiles.service import change_username, raise_version
from chassis.contracts.accounts import SecurityNoticed, UserDeleted, UserUpdated
from chassis.database.queries import Reader
from chassis.events.outbox import emit_event


@dataclass(frozen=True, slots=True)
class OwnProfile:
    profile: Profile
    account: Account


@dataclass(frozen=True, slots=True)
class LoginAccount:
    """Who an address belongs to, as far as a login needs it."""

    profile_id: UUID
    username: str
    email: str = field(repr=False)
    password_hash: str = field(repr=False)
    is_confirmed: bool
    is_banned: bool
    roles: tuple[str, ...]
    second_factors: tuple[str, ...]
    """What a login asks for beside the password."""


async def get_own_document(reader: Reader, profile_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(OWN_PROFILE, profile_id=profile_id)


async def update_profile(session: AsyncSession, profile: Profile, data: ProfileUpdate) -> ProfileDocument:
    """What it is from now on; `profile` is locked. Raises UsernameTakenError."""
    given = data.model_dump(include=data.model_fields_set)
    changes = {name: value for name, value in given.items() if getattr(profile, name) != value}
    if "username" in changes:
        await change_username(session, profile, changes["username"])
        await record(session, AuditAction.USERNAME_CHANGED, subject_id=profile.id)
    for name, value in changes.items():
        setattr(profile, name, value)
    await session.flush()
    if changes.keys() & TOLD_FIELDS:
        await emit_user_updated(session, profile.id)
    elif changes:
        await raise_version(session, profile.id)
    written = (await session.execute(WRITTEN_PROFILE, {"profile_id": profile.id})).one()
    return ProfileDocument(written.body.encode(), written.version)


async def find_owner(session: AsyncSession, email: str) -> UUID | None:
    """Who has confirmed the address."""
    query = select(Account.profile_id).where(Account.email == email, Account.confirmed_at.is_not(None))
    return (await session.scalars(query)).one_or_none()


async def lock_address(session: AsyncSession, email: str) -> None:
    """Until the transaction ends: of those who would confirm the same address, one after the other."""
    await session.execute(select(func.pg_advisory_xact_lock(ADDRESS_LOCK, func.hashtext(email))))


async def lock_profile(session: AsyncSession, profile_id: UUID) -> OwnProfile | None:
    """Of the two the public one is held; a login, which writes to the account first, need not wait for it."""
    statement = (
        select(Profile, Account)
        .join(Account, Account.profile_id == Profile.id)
        .where(Profile.id == profile_id)
        .with_for_update(of=Profile, key_share=True)
        .execution_options(populate_existing=True)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else OwnProfile(*row)


async def lock_account(session: AsyncSession, profile_id: UUID) -> Account | None:
    """Held until the end of the transaction: nobody logs in, is banned or changes credentials meanwhile."""
    statement = select(Account).where(Account.profile_id == profile_id).with_for_update()
    return (await session.scalars(statement.execution_options(populate_existing=True))).one_or_none()


async def find_login(reader: Reader, email: str) -> LoginAccount | None:
    """By an address: of the accounts that name it the one that has confirmed it, else the newest."""
    return parse_login(await reader.fetch_row(LOGIN_BY_EMAIL, email=find_spelling(email)))


async def find_login_by_id(reader: Reader, profile_id: UUID) -> LoginAccount | None:
    return parse_login(await reader.fetch_row(LOGIN_BY_ID, profile_id=profile_id))


async def hold_login(session: AsyncSession, profile_id: UUID) -> LoginAccount | None:
    """Until the end of the transaction: who bans, or changes credentials, waits for it, and other logins do not."""
    statement = LOGIN.where(Account.profile_id == profile_id).with_for_update(read=True, of=Account)
    return parse_login((await session.execute(statement)).mappings().one_or_none())


def parse_login(row: Mapping[str, Any] | asyncpg.Record | None) -> LoginAccount | None:
    if row is None:
        return None
    return LoginAccount(
        profile_id=row["profile_id"],
        username=row["username"],
        email=row["email"],
        password_hash=row["password_hash"],
        is_confirmed=row["confirmed_at"] is not None,
        is_banned=row["banned_at"] is not None,
        roles=tuple(row["roles"]),
        second_factors=tuple(row["second_factors"]),
    )


async def replace_password_hash(session: AsyncSession, profile_id: UUID, old: str, new: str) -> bool:
    """Whether it was still the old one: of two changes at once, the later must look again."""
    changed = await session.scalars(
        update(Account)
        .where(Account.profile_id == profile_id, Account.password_hash == old)
        .values(password_hash=new)
        .returning(Account.profile_id)
    )
    return changed.one_or_none() is not None


async def notify_owner(
    session: AsyncSession,
    profile_id: UUID,
    kind: NoticeKind,
    details: Mapping[str, str] | None = None,
    *,
    email: str | None = None,
) -> None:
    """Tell the owner, by mail, what happened to the account; at `email` instead of the address of today, if given."""
    notice_id: UUID = (await session.scalars(select(func.uuidv7()))).one()
    version = await raise_version(session, profile_id)
    event = SecurityNoticed(
        notice_id=notice_id, user_id=profile_id, kind=kind, details=dict(details or {}), email=email
    )
    await emit_event(session, event, aggregate_id=profile_id, aggregate_seq=version)


async def emit_user_updated(session: AsyncSession, profile_id: UUID) -> None:
    """Tell how somebody is shown, and written to, from now on."""
    version = await raise_version(session, profile_id)
    query = select(Profile, Account.email).join(Account, Account.profile_id == Profile.id)
    profile, email = (await session.execute(query.where(Profile.id == profile_id))).one()
    event = UserUpdated(
        user_id=profile_id,
        email=email,
        username=profile.username,
        first_name=profile.first_name,
        last_name=profile.last_name,
        avatar_url=profile.avatar_url,
        language=profile.language,
        time_zone=profile.time_zone,
    )
    await emit_event(session, event, aggregate_id=profile_id, aggregate_seq=version)


async def refuse_loss_of_last_admin(session: AsyncSession, account: Account) -> None:
    """Where `account`, which is locked, is about to be an admin no more. Raises LastAdminError."""
    if Role.ADMIN not in account.roles:
        return
    await session.execute(select(func.pg_advisory_xact_lock(ROLES_LOCK)))
    is_admin = Account.roles.contains([Role.ADMIN.value])
    others = select(Account.profile_id).where(
        is_admin, Account.profile_id != account.profile_id, Account.banned_at.is_(None)
    )
    if await session.scalar(others.limit(1)) is None:
        raise LastAdminError


async def delete_rivals(session: AsyncSession, email: str) -> None:
    """The accounts that wait for a confirmation of an address which somebody else has confirmed now."""
    await delete_profiles(session, select(Account.profile_id).filter_by(email=email, confirmed_at=None))


async def delete_profiles(session: AsyncSession, ids: Select[UUID]) -> None:
    deleted = await session.execute(delete(Profile).where(Profile.id.in_(ids)).returning(Profile.id, Profile.version))
    for profile_id, version in deleted.all():
        event = UserDeleted(user_id=profile_id)
        await emit_event(session, event, aggregate_id=profile_id, aggregate_seq=version + 1)
