from typing import Annotated

from fastapi import Depends, Request

from auth.accounts import service as accounts
from auth.accounts.service import LoginAccount
from auth.passkeys.utils import RelyingParty
from auth.profiles.exceptions import ProfileNotFoundError
from chassis.database.dependencies import ReaderDep
from chassis.security.dependencies import JWTDataDep


async def get_relying_party(request: Request) -> RelyingParty:
    rp: RelyingParty = request.app.state.relying_party
    return rp


async def valid_own_login(jwt_data: JWTDataDep, reader: ReaderDep) -> LoginAccount:
    login = await accounts.find_login_by_id(reader, jwt_data.user_id)
    if login is None:
        raise ProfileNotFoundError
    return login


RelyingPartyDep = Annotated[RelyingParty, Depends(get_relying_party)]
OwnLoginDep = Annotated[LoginAccount, Depends(valid_own_login)]
