from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends

from auth.accounts import service
from auth.accounts.exceptions import EmailNotConfirmedError
from auth.profiles.dependencies import valid_own_profile_id
from auth.profiles.exceptions import ProfileNotFoundError
from auth.profiles.models import Profile
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.security.dependencies import JWTDataDep


async def valid_own_document(jwt_data: JWTDataDep, reader: ReaderDep) -> asyncpg.Record:
    """The caller's own profile, ready to go out."""
    document = await service.get_own_document(reader, jwt_data.user_id)
    if document is None:
        raise ProfileNotFoundError
    return document


async def valid_own_profile(
    profile_id: Annotated[UUID, Depends(valid_own_profile_id)], session: SessionDep
) -> service.OwnProfile:
    """The caller's own profile, held until the end of the request."""
    own = await service.lock_profile(session, profile_id)
    if own is None:
        raise ProfileNotFoundError
    return own


async def valid_confirmed_profile(own: Annotated[service.OwnProfile, Depends(valid_own_profile)]) -> Profile:
    if own.account.confirmed_at is None:
        raise EmailNotConfirmedError
    return own.profile


OwnProfileDocumentDep = Annotated[asyncpg.Record, Depends(valid_own_document)]
