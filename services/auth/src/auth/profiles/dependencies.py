from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends, Request

from auth.profiles import service
from auth.profiles.exceptions import (
    CreatorNotFoundError,
    EmailNotConfirmedError,
    NotOwnProfileError,
    ProfileNotFoundError,
)
from auth.profiles.models import Profile
from auth.profiles.schemas import ProfileCreate
from auth.profiles.utils import PasswordHashing
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.etags import IfMatchDep
from chassis.security.dependencies import JWTDataDep


async def get_hashing(request: Request) -> PasswordHashing:
    hashing: PasswordHashing = request.app.state.hashing
    return hashing


HashingDep = Annotated[PasswordHashing, Depends(get_hashing)]


async def valid_registration(profile_data: ProfileCreate, hashing: HashingDep) -> service.Registration:
    """A sign-up with its password hashed: before the transaction begins, which then holds no connection meanwhile."""
    password_hash = await hashing.hash_password(profile_data.password.get_secret_value())
    return service.Registration(profile_data, password_hash)


async def valid_profile_document(profile_id: UUID, reader: ReaderDep) -> asyncpg.Record:
    """What everybody sees of a profile, ready to go out."""
    document = await service.get_profile_document(reader, profile_id)
    if document is None:
        raise ProfileNotFoundError
    return document


async def valid_own_document(jwt_data: JWTDataDep, reader: ReaderDep) -> asyncpg.Record:
    """The caller's own profile, ready to go out."""
    document = await service.get_own_document(reader, jwt_data.user_id)
    if document is None:
        raise ProfileNotFoundError
    return document


async def valid_creator_document(profile_id: UUID, reader: ReaderDep) -> asyncpg.Record:
    document = await service.get_creator_document(reader, profile_id)
    if document is None:
        raise CreatorNotFoundError
    return document


async def valid_own_profile_id(profile_id: UUID, jwt_data: JWTDataDep) -> UUID:
    if profile_id != jwt_data.user_id:
        raise NotOwnProfileError
    return profile_id


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


async def valid_current_profile(
    profile: Annotated[Profile, Depends(valid_confirmed_profile)], if_match: IfMatchDep
) -> Profile:
    """One's own confirmed profile, in the version that the client knows."""
    if_match.check(profile.version)
    return profile


ValidRegistrationDep = Annotated[service.Registration, Depends(valid_registration)]
ValidProfileDocumentDep = Annotated[asyncpg.Record, Depends(valid_profile_document)]
OwnProfileDocumentDep = Annotated[asyncpg.Record, Depends(valid_own_document)]
ValidCreatorDocumentDep = Annotated[asyncpg.Record, Depends(valid_creator_document)]
CurrentProfileDep = Annotated[Profile, Depends(valid_current_profile)]
