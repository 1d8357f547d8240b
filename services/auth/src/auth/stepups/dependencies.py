from typing import Annotated

from fastapi import Depends

from auth.accounts.service import LoginAccount
from auth.logins.dependencies import LoginToolsDep
from auth.mfa.dependencies import OwnProverDep
from auth.mfa.schemas import Proof
from auth.passkeys.dependencies import RelyingPartyDep
from auth.passkeys.service import PasskeyProof
from auth.recovery.exceptions import PasswordWrongError
from auth.stepups import service
from auth.stepups.schemas import StepUp
from auth.stepups.service import ProvedAgain
from auth.totp.dependencies import CodeToolsDep
from chassis.database.dependencies import SessionDep
from chassis.security.dependencies import JWTDataDep


async def valid_password_again(step_up: StepUp, jwt_data: JWTDataDep, tools: LoginToolsDep) -> LoginAccount | None:
    """Before the transaction, which holds no connection meanwhile. None where there is a passkey in its place."""
    if step_up.password is None:
        return None
    account = await service.check_password_again(tools, jwt_data.user_id, step_up.password.get_secret_value())
    if account is None:
        raise PasswordWrongError
    return account


async def parse_proof(step_up: StepUp, codes: CodeToolsDep, rp: RelyingPartyDep) -> Proof | None:
    """What is shown beside the password, or in its place."""
    if step_up.passkey is not None:
        return PasskeyProof(rp, step_up.passkey)
    return None if step_up.code is None else codes.parse_code(step_up.code)


async def valid_step_up(
    account: Annotated[LoginAccount | None, Depends(valid_password_again)],
    proof: Annotated[Proof | None, Depends(parse_proof)],
    jwt_data: JWTDataDep,
    tools: LoginToolsDep,
    prover: OwnProverDep,
    session: SessionDep,
) -> ProvedAgain:
    """By the second factor as well, where the account has one."""
    if isinstance(proof, PasskeyProof):
        return await service.check_passkey_again(session, tools.limiter, prover, jwt_data.session_id, proof)
    if account is None or not account.second_factors:
        return ProvedAgain(jwt_data.user_id, jwt_data.session_id)
    return await service.check_second_factor(session, tools.limiter, prover, jwt_data.session_id, proof)


ValidStepUpDep = Annotated[ProvedAgain, Depends(valid_step_up)]
