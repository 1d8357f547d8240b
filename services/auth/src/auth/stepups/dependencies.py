from typing import Annotated

from fastapi import Depends

from auth.accounts.service import LoginAccount
from auth.logins.dependencies import LoginToolsDep
from auth.mfa.dependencies import OwnProverDep
from auth.recovery.exceptions import PasswordWrongError
from auth.stepups import service
from auth.stepups.schemas import StepUp
from auth.stepups.service import ProvedAgain
from auth.totp.dependencies import CodeToolsDep
from chassis.database.dependencies import SessionDep
from chassis.security.dependencies import JWTDataDep


async def valid_password_again(step_up: StepUp, jwt_data: JWTDataDep, tools: LoginToolsDep) -> LoginAccount:
    """Before the transaction, which holds no connection meanwhile."""
    account = await service.check_password_again(tools, jwt_data.user_id, step_up.password.get_secret_value())
    if account is None:
        raise PasswordWrongError
    return account


async def valid_step_up(
    account: Annotated[LoginAccount, Depends(valid_password_again)],
    step_up: StepUp,
    jwt_data: JWTDataDep,
    tools: LoginToolsDep,
    codes: CodeToolsDep,
    prover: OwnProverDep,
    session: SessionDep,
) -> ProvedAgain:
    """By the second factor as well, where the account has one."""
    if not account.second_factors:
        return ProvedAgain(account.profile_id, jwt_data.session_id)
    proof = None if step_up.code is None else codes.parse_code(step_up.code)
    return await service.check_second_factor(session, tools.limiter, prover, jwt_data.session_id, proof)


ValidStepUpDep = Annotated[ProvedAgain, Depends(valid_step_up)]
