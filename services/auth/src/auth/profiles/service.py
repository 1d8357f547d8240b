"""What others see of a user."""

from uuid import UUID

import asyncpg
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.profiles.models import Profile
from auth.profiles.queries import PROFILE
from chassis.database.queries import Reader


async def get_profile_document(reader: Reader, profile_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(PROFILE, profile_id=profile_id)


async def raise_version(session: AsyncSession, profile_id: UUID) -> int:
    """Count a change of the user: the number of the event that tells of it."""
    statement = update(Profile).where(Profile.id == profile_id).values(version=Profile.version + 1)
    return (await session.scalars(statement.returning(Profile.version))).one()
