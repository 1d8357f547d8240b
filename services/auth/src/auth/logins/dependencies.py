from typing import Annotated

from fastapi import Depends

from auth.limits.dependencies import RateLimiterDep
from auth.logins.service import LoginTools
from auth.passwords.dependencies import HashingDep
from chassis.database.dependencies import ReaderDep


async def get_login_tools(reader: ReaderDep, hashing: HashingDep, limiter: RateLimiterDep) -> LoginTools:
    return LoginTools(reader, hashing, limiter)


LoginToolsDep = Annotated[LoginTools, Depends(get_login_tools)]
