from typing import Annotated

from fastapi import Depends

from auth.logins.constants import Acr
from auth.logins.dependencies import LoginToolsDep
from auth.passkeys.constants import PASSKEY_LOGIN_AMR
from auth.passkeys.dependencies import RelyingPartyDep
from auth.passkeys.exceptions import PasskeyWrongError
from auth.recovery.exceptions import PasswordWrongError
from auth.stepups import service
from auth.stepups.schemas import StepUp
from auth.stepups.service import ProvedAgain
from chassis.database.dependencies import SessionDep
from chassis.security.dependencies import JWTDataDep


async def valid_step_up(
    step_up: StepUp, jwt_data: JWTDataDep, tools: LoginToolsDep, rp: RelyingPartyDep, session: SessionDep
) -> ProvedAgain:
    """A password before the transaction, which holds no connection meanwhile."""
    who = jwt_data.user_id, jwt_data.session_id
    if step_up.passkey is not None:
        if not await service.check_passkey_again(session, tools.limiter, rp, jwt_data.user_id, step_up.passkey):
            raise PasskeyWrongError
        return ProvedAgain(*who, PASSKEY_LOGIN_AMR, Acr.TWO_FACTORS)
    password = step_up.password.get_secret_value() if step_up.password else ""
    if not await service.check_password_again(tools, jwt_data.user_id, password):
        raise PasswordWrongError
    return ProvedAgain(*who)


ValidStepUpDep = Annotated[ProvedAgain, Depends(valid_step_up)]
