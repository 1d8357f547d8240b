"""Users: the private account behind a public profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts.models import Account
from auth.accounts.queries import LOGIN_ACCOUNT, OWN_PROFILE
from auth.accounts.schemas import ProfileCreate, ProfileMe
from auth.accounts.utils import normalize_email
from auth.confirmations import service as confirmations
from auth.confirmations.exceptions import ConfirmationInvalidError
from auth.confirmations.models import Confirmation
from auth.confirmations.utils import ConfirmationSigner
from auth.profiles.models import Profile
from auth.profiles.service import raise_version
from chassis.contracts.accounts import SecurityNoticed, UserConfirmed, UserRegistered
from chassis.database.queries import Reader
from chassis.events.outbox import emit_event


@dataclass(frozen=True, slots=True)
class Registration:
    data: ProfileCreate
    password_hash: str


@dataclass(frozen=True, slots=True)
class OwnProfile:
    profile: Profile
    account: Account


@dataclass(frozen=True, slots=True)
class LoginAccount:
    """Who an address belongs to, as far as a login needs it."""

    profile_id: UUID
    password_hash: str = field(repr=False)
    is_confirmed: bool
    is_banned: bool
    roles: tuple[str, ...]


async def get_own_document(reader: Reader, profile_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(OWN_PROFILE, profile_id=profile_id)


async def create_profile(session: AsyncSession, signer: ConfirmationSigner, registration: Registration) -> ProfileMe:
    """Raises EmailTakenError, UsernameTakenError (through their unique indexes)."""
    data = registration.data
    names = {"username": data.username, "first_name": data.first_name, "last_name": data.last_name}
    profile = Profile(**names)
    session.add(profile)
    await session.flush()
    session.add(Account(profile_id=profile.id, email=data.email, password_hash=registration.password_hash))
    await session.flush()
    confirmation_id = await confirmations.create_confirmation(session, signer, profile.id)
    event = UserRegistered(user_id=profile.id, email=data.email, confirmation_id=confirmation_id, **names)
    await emit_event(session, event, aggregate_id=profile.id, aggregate_seq=profile.version)
    return ProfileMe(
        id=profile.id,
        **names,
        is_creator=profile.is_creator,
        created_at=profile.created_at,
        email=data.email,
        is_confirmed=False,
        updated_at=profile.updated_at,
    )


async def confirm_profile(session: AsyncSession, token: str) -> bool:
    """Whether the token proved an address. Each token does so once."""
    profile_id = await confirmations.use_confirmation(session, token)
    if profile_id is None:
        return False
    confirm = (
        update(Account)
        .where(Account.profile_id == profile_id, Account.confirmed_at.is_(None))
        .values(confirmed_at=func.now())
        .returning(Account.profile_id)
    )
    if (await session.scalars(confirm)).one_or_none() is not None:
        version = await raise_version(session, profile_id)
        await emit_event(session, UserConfirmed(user_id=profile_id), aggregate_id=profile_id, aggregate_seq=version)
    return True


async def confirm_profile_or_raise(session: AsyncSession, token: str) -> None:
    """Raises ConfirmationInvalidError."""
    if not await confirm_profile(session, token):
        raise ConfirmationInvalidError


async def delete_unconfirmed_profiles(session: AsyncSession) -> int:
    """Of some confirmations that are over: them, and whom they were sent to in vain; how many confirmations.

    Address and username are free again. Nobody else is told: who never confirmed never did anything.
    """
    profile_ids = await confirmations.delete_expired_confirmations(session)
    is_unconfirmed = exists().where(Account.profile_id == Profile.id, Account.confirmed_at.is_(None))
    is_asked = exists().where(Confirmation.profile_id == Profile.id)
    await session.execute(delete(Profile).where(Profile.id.in_(profile_ids), is_unconfirmed, ~is_asked))
    return len(profile_ids)


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
    row = await reader.fetch_row(LOGIN_ACCOUNT, email=_find_spelling(email))
    if row is None:
        return None
    return LoginAccount(
        profile_id=row["profile_id"],
        password_hash=row["password_hash"],
        is_confirmed=row["confirmed_at"] is not None,
        is_banned=row["banned_at"] is not None,
        roles=tuple(row["roles"]),
    )


def _find_spelling(email: str) -> str:
    """What is no address belongs to nobody, and is looked up all the same: the answer takes as long."""
    try:
        return normalize_email(email.strip())
    except ValueError:
        return ""


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
    kind: str,
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
