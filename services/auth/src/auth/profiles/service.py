"""Users: the public profile and the private account behind it."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.confirmations import service as confirmations
from auth.confirmations.exceptions import ConfirmationInvalidError
from auth.confirmations.models import Confirmation
from auth.confirmations.utils import ConfirmationSigner
from auth.profiles.models import Account, Profile
from auth.profiles.queries import ACCOUNT_BY_EMAIL, CREATOR, OWN_PROFILE, PROFILE
from auth.profiles.schemas import CreatorRead, CreatorUpdate, ProfileCreate, ProfileMe
from auth.profiles.utils import PasswordHashing, normalize_email
from chassis.contracts.accounts import CreatorActivated, UserConfirmed, UserRegistered
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
class CheckedLogin:
    """An address whose password was right."""

    profile_id: UUID
    is_confirmed: bool
    outdated_hash: str | None
    """Made with parameters that are not those of today."""


async def get_profile_document(reader: Reader, profile_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(PROFILE, profile_id=profile_id)


async def get_own_document(reader: Reader, profile_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(OWN_PROFILE, profile_id=profile_id)


async def get_creator_document(reader: Reader, profile_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(CREATOR, profile_id=profile_id)


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
        version = await _raise_version(session, profile_id)
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


async def _raise_version(session: AsyncSession, profile_id: UUID) -> int:
    statement = update(Profile).where(Profile.id == profile_id).values(version=Profile.version + 1)
    return (await session.scalars(statement.returning(Profile.version))).one()


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


async def update_creator(session: AsyncSession, profile: Profile, data: CreatorUpdate) -> CreatorRead:
    """Make the profile a creator's, or change how that creator is presented. `profile` is locked."""
    was_creator = profile.is_creator
    if not was_creator or (profile.pen_name, profile.bio) != (data.pen_name, data.bio):
        profile.is_creator = True
        profile.pen_name, profile.bio = data.pen_name, data.bio
        profile.version += 1
    if not was_creator:
        event = CreatorActivated(
            user_id=profile.id,
            username=profile.username,
            first_name=profile.first_name,
            last_name=profile.last_name,
        )
        await emit_event(session, event, aggregate_id=profile.id, aggregate_seq=profile.version)
    await session.flush()
    return CreatorRead.model_validate(profile)


async def check_login(reader: Reader, hashing: PasswordHashing, email: str, password: str) -> CheckedLogin | None:
    """None for a wrong password as for an unknown address, after the same work. Holds no connection meanwhile.

    Raises HashingBusyError.
    """
    row = await reader.fetch_row(ACCOUNT_BY_EMAIL, email=_find_spelling(email))
    password_hash: str | None = None if row is None else row["password_hash"]
    is_valid = await hashing.verify_password(password, password_hash)
    if row is None or password_hash is None or not is_valid:
        return None
    return CheckedLogin(
        profile_id=row["profile_id"],
        is_confirmed=row["confirmed_at"] is not None,
        outdated_hash=password_hash if hashing.needs_rehash(password_hash) else None,
    )


def _find_spelling(email: str) -> str:
    """What is no address belongs to nobody, and is looked up all the same: the answer takes as long."""
    try:
        return normalize_email(email.strip())
    except ValueError:
        return ""


async def renew_password_hash(
    session: AsyncSession, hashing: PasswordHashing, login: CheckedLogin, password: str
) -> None:
    """With the parameters of today, unless the password was changed meanwhile."""
    if login.outdated_hash is None:
        return
    password_hash = await hashing.hash_password(password)
    await session.execute(
        update(Account)
        .where(Account.profile_id == login.profile_id, Account.password_hash == login.outdated_hash)
        .values(password_hash=password_hash)
    )
