from typing import Annotated
from uuid import UUID

from fastapi import Depends

from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.security.dependencies import JWTDataDep
from posts.accounts.dependencies import AccountsClientDep
from posts.creators import service
from posts.creators.exceptions import CreatorNotFoundError, NotACreatorError, ProfileUnknownError
from posts.creators.models import Creator


async def valid_creator_id(
    profile_id: UUID, session: SessionDep, reader: ReaderDep, accounts: AccountsClientDep
) -> Creator:
    creator = await service.get_creator(session, reader, accounts, profile_id)
    if creator is None:
        raise CreatorNotFoundError
    return creator


async def valid_active_creator(
    jwt_data: JWTDataDep, session: SessionDep, reader: ReaderDep, accounts: AccountsClientDep
) -> Creator:
    """The caller, who must be a creator. 503 when only auth could tell and it is away."""
    creator = await service.get_creator(session, reader, accounts, jwt_data.user_id)
    if creator is None:
        raise NotACreatorError
    return creator


async def valid_active_profile(
    jwt_data: JWTDataDep, session: SessionDep, reader: ReaderDep, accounts: AccountsClientDep
) -> Creator:
    """The caller's profile, to be nested in what they write."""
    profile = await service.get_profile(session, reader, accounts, jwt_data.user_id)
    if profile is None:
        raise ProfileUnknownError
    return profile


ValidCreatorDep = Annotated[Creator, Depends(valid_creator_id)]
ActiveCreatorDep = Annotated[Creator, Depends(valid_active_creator)]
ActiveProfileDep = Annotated[Creator, Depends(valid_active_profile)]
