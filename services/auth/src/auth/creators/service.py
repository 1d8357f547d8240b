"""Profiles that publish."""

from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from auth.creators.queries import CREATOR
from auth.creators.schemas import CreatorRead, CreatorUpdate
from auth.profiles.models import Profile
from chassis.contracts.accounts import CreatorActivated
from chassis.database.queries import Reader
from chassis.events.outbox import emit_event


async def get_creator_document(reader: Reader, profile_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(CREATOR, profile_id=profile_id)


async def update_creator(session: AsyncSession, profile: Profile, data: CreatorUpdate) -> CreatorRead:
    """Make the profile a creator's, or change how that creator is presented. `profile` is locked."""
    was_creator = profile.is_creator
    if not was_creator or (profile.pen_name, profile.bio) != (data.pen_name, data.bio):
        profile.is_creator = True
        profile.pen_name, profile.bio = data.pen_name, data.bio
        profile.version += 1
    if not was_creator:
        await _tell_activation(session, profile)
    await session.flush()
    return CreatorRead.model_validate(profile)


async def activate_creator(session: AsyncSession, profile: Profile) -> None:
    """Without a presentation of their own yet. `profile` is locked, and no creator's."""
    profile.is_creator = True
    profile.version += 1
    await _tell_activation(session, profile)


async def _tell_activation(session: AsyncSession, profile: Profile) -> None:
    event = CreatorActivated(
        user_id=profile.id,
        username=profile.username,
        first_name=profile.first_name,
        last_name=profile.last_name,
    )
    await emit_event(session, event, aggregate_id=profile.id, aggregate_seq=profile.version)
