from typing import Annotated

from fastapi import Depends

from auth.limits.constants import LimitRule
from auth.limits.dependencies import RateLimiterDep
from auth.limits.utils import confirmation_key
from auth.passwords.dependencies import HashingDep
from auth.registrations import service
from auth.registrations.schemas import ProfileCreate


async def valid_registration(
    profile_data: ProfileCreate, hashing: HashingDep, limiter: RateLimiterDep
) -> service.Registration:
    """A sign-up with its password hashed: before the transaction begins, which then holds no connection meanwhile.

    It sends a mail to an address that may be somebody else's: as many as may be asked for in other ways.
    """
    await limiter.check(LimitRule.MAIL, confirmation_key(profile_data.email))
    password_hash = await hashing.hash_password(profile_data.password.get_secret_value())
    return service.Registration(profile_data, password_hash)


ValidRegistrationDep = Annotated[service.Registration, Depends(valid_registration)]
