from typing import Annotated

from fastapi import Depends

from auth.passwords.dependencies import HashingDep
from auth.registrations import service
from auth.registrations.schemas import ProfileCreate


async def valid_registration(profile_data: ProfileCreate, hashing: HashingDep) -> service.Registration:
    """A sign-up with its password hashed: before the transaction begins, which then holds no connection meanwhile."""
    password_hash = await hashing.hash_password(profile_data.password.get_secret_value())
    return service.Registration(profile_data, password_hash)


ValidRegistrationDep = Annotated[service.Registration, Depends(valid_registration)]
