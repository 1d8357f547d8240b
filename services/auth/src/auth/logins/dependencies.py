from typing import Annotated

from fastapi import Depends

from auth.limits.dependencies import RateLimiterDep
from auth.logins import service
from auth.logins.schemas import StepUp
from auth.logins.service import LoginTools, ProvedAgain
from auth.passwords.dependencies import HashingDep
from auth.recovery.exceptions import PasswordWrongError
from chassis.database.dependencies import ReaderDep
from chassis.security.dependencies import JWTDataDep


async def get_login_tools(reader: ReaderDep, hashing: HashingDep, limiter: RateLimiterDep) -> LoginTools:
    return LoginTools(reader, hashing, limiter)


LoginToolsDep = Annotated[LoginTools, Depends(get_login_tools)]


async def valid_step_up(step_up: StepUp, jwt_data: JWTDataDep, tools: LoginToolsDep) -> ProvedAgain:
    """Before the transaction, which holds no connection meanwhile."""
    password = step_up.password.get_secret_value()
    if not await service.check_password_again(tools, jwt_data.user_id, password):
        raise PasswordWrongError
    return ProvedAgain(jwt_data.user_id, jwt_data.session_id)


ValidStepUpDep = Annotated[ProvedAgain, Depends(valid_step_up)]
