from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends

from auth.accounts.dependencies import valid_confirmed_profile
from auth.creators import service
from auth.creators.exceptions import CreatorNotFoundError
from auth.profiles.models import Profile
from chassis.database.dependencies import ReaderDep
from chassis.etags import IfMatchDep


async def valid_creator_document(profile_id: UUID, reader: ReaderDep) -> asyncpg.Record:
    document = await service.get_creator_document(reader, profile_id)
    if document is None:
        raise CreatorNotFoundError
    return document


async def valid_current_profile(
    profile: Annotated[Profile, Depends(valid_confirmed_profile)], if_match: IfMatchDep
) -> Profile:
    """One's own confirmed profile, in the version that the client knows."""
    if_match.check(profile.version)
    return profile


ValidCreatorDocumentDep = Annotated[asyncpg.Record, Depends(valid_creator_document)]
CurrentProfileDep = Annotated[Profile, Depends(valid_current_profile)]
