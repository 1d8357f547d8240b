from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends, Path

from auth.profiles import service
from auth.profiles.constants import USERNAME_PATTERN
from auth.profiles.exceptions import NotOwnProfileError, ProfileNotFoundError
from chassis.database.dependencies import ReaderDep
from chassis.security.dependencies import JWTDataDep


async def valid_profile_document(profile_id: UUID, reader: ReaderDep) -> asyncpg.Record:
    """What everybody sees of a profile, ready to go out."""
    document = await service.get_profile_document(reader, profile_id)
    if document is None:
        raise ProfileNotFoundError
    return document


async def valid_named_document(
    username: Annotated[str, Path(max_length=30, pattern=USERNAME_PATTERN)], reader: ReaderDep
) -> asyncpg.Record:
    """The same of whom the name leads to: theirs now, in any case, or a former one."""
    document = await service.get_named_document(reader, username)
    if document is None:
        raise ProfileNotFoundError
    return document


async def valid_own_profile_id(profile_id: UUID, jwt_data: JWTDataDep) -> UUID:
    if profile_id != jwt_data.user_id:
        raise NotOwnProfileError
    return profile_id


ValidProfileDocumentDep = Annotated[asyncpg.Record, Depends(valid_profile_document)]
NamedProfileDocumentDep = Annotated[asyncpg.Record, Depends(valid_named_document)]
