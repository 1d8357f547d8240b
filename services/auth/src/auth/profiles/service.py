"""What others see of a user."""

from uuid import UUID

import asyncpg
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.profiles.exceptions import UsernameTakenError
from auth.profiles.models import FormerUsername, Profile, RetiredUsername
from auth.profiles.queries import PROFILE, PROFILE_BY_USERNAME
from auth.profiles.utils import compute_name_digest
from chassis.database.queries import Reader


async def get_profile_document(reader: Reader, profile_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(PROFILE, profile_id=profile_id)


async def get_named_document(reader: Reader, username: str) -> asyncpg.Record | None:
    return await reader.fetch_row(PROFILE_BY_USERNAME, name=username.lower())


async def change_username(session: AsyncSession, profile: Profile, username: str) -> None:
    """The former one goes on leading to the profile, which is locked. Raises UsernameTakenError."""
    former = insert(FormerUsername).values(name=profile.username.lower(), profile_id=profile.id)
    await session.execute(former.on_conflict_do_nothing(index_elements=[FormerUsername.name]))
    profile.username = username
    await session.flush()
    await refuse_former_username(session, profile)


async def refuse_taken_username(session: AsyncSession, profile: Profile, username: str) -> None:
    """Before it is written: what would be in vain shall not count against a limit. Raises UsernameTakenError."""
    name = username.lower()
    current = select(Profile.id).where(func.lower(Profile.username) == name)
    former = select(FormerUsername.profile_id).where(FormerUsername.name == name)
    owners = (await session.scalars(current.union(former))).all()
    if set(owners) - {profile.id} or await _is_retired(session, username):
        raise UsernameTakenError


async def refuse_former_username(session: AsyncSession, profile: Profile) -> None:
    """That nobody has the name of `profile` the unique index sees to; this, that nobody else has given it up.

    To be called when the name is written. The index makes it wait for who gives the name up at this moment, so that
    the look here, later, sees what they left. Raises UsernameTakenError.
    """
    query = select(FormerUsername.profile_id).where(FormerUsername.name == profile.username.lower())
    is_taken = await session.scalar(query) not in (None, profile.id)
    if is_taken or await _is_retired(session, profile.username):
        raise UsernameTakenError


async def _is_retired(session: AsyncSession, username: str) -> bool:
    query = select(RetiredUsername.digest).where(RetiredUsername.digest == compute_name_digest(username))
    return await session.scalar(query) is not None


async def retire_usernames(session: AsyncSession, profile_id: UUID) -> None:
    """Those of today and before, when their owner goes for good."""
    current = select(Profile.username).where(Profile.id == profile_id)
    former = select(FormerUsername.name).where(FormerUsername.profile_id == profile_id)
    names = (await session.scalars(current.union_all(former))).all()
    values = [{"digest": digest} for digest in sorted({compute_name_digest(name) for name in names})]
    await session.execute(insert(RetiredUsername).values(values).on_conflict_do_nothing())


async def raise_version(session: AsyncSession, profile_id: UUID) -> int:
    """Count a change of the user: the number of the event that tells of it."""
    statement = update(Profile).where(Profile.id == profile_id).values(version=Profile.version + 1)
    return (await session.scalars(statement.returning(Profile.version))).one()
