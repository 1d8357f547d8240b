from typing import Annotated

from fastapi import Depends

from auth.accounts import service as accounts
from auth.accounts.models import Account
from auth.profiles.exceptions import ProfileNotFoundError
from chassis.database.dependencies import SessionDep
from chassis.security.dependencies import JWTDataDep


async def valid_locked_own_account(jwt_data: JWTDataDep, session: SessionDep) -> Account:
    """The caller's, held until the end of the request: nobody logs in, or changes it, meanwhile."""
    account = await accounts.lock_account(session, jwt_data.user_id)
    if account is None:
        raise ProfileNotFoundError
    return account


LockedOwnAccountDep = Annotated[Account, Depends(valid_locked_own_account)]
