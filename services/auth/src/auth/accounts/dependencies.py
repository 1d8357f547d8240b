from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends

from auth.accounts import service
from auth.accounts.exceptions import EmailNotConfirmedError
from auth.accounts.schemas import ProfileUpdate
from auth.limits.constants import LimitRule
from auth.limits.dependencies import RateLimiterDep
from auth.limits.utils import account_key
from auth.profiles import service as profiles
from auth.profiles.dependencies import valid_own_profile_id
from auth.profiles.exceptions import ProfileNotFoundError
from auth.profiles.models import Profile
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.etags import IfMatchDep
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


async def valid_locked_own_profile(jwt_data: JWTDataDep, session: SessionDep) -> Profile:
    """The caller's, held until the end of the request."""
    own = await service.lock_profile(session, jwt_data.user_id)
    if own is None:
        raise ProfileNotFoundError
    return own.profile


LockedOwnProfileDep = Annotated[Profile, Depends(valid_locked_own_profile)]


async def valid_current_own_profile(profile: LockedOwnProfileDep, if_match: IfMatchDep) -> Profile:
    """In the version that the client knows."""
    if_match.check(profile.version)
    return profile


CurrentOwnProfileDep = Annotated[Profile, Depends(valid_current_own_profile)]


async def valid_profile_update(
    profile: CurrentOwnProfileDep, profile_data: ProfileUpdate, session: SessionDep, limiter: RateLimiterDep
) -> ProfileUpdate:
    """A new username must be free, and not one too many. That it is free still when it is written, is seen to there."""
    username = profile_data.username
    if username not in ("", profile.username):
        await profiles.refuse_taken_username(session, profile, username)
        await limiter.check(LimitRule.USERNAME_CHANGE, account_key(str(profile.id)))
    return profile_data


ValidProfileUpdateDep = Annotated[ProfileUpdate, Depends(valid_profile_update)]
OwnProfileDocumentDep = Annotated[asyncpg.Record, Depends(valid_own_document)]
