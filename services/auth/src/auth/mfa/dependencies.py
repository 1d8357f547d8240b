from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import lru_cache
from typing import Annotated

import asyncpg
from fastapi import Depends, Request

from auth.accounts import service as accounts
from auth.accounts.models import Account
from auth.limits.dependencies import AddressKeyDep, RateLimiterDep
from auth.mfa import service
from auth.mfa.schemas import Attempt, Prover
from auth.mfa.utils import RecoveryCodeDigester
from auth.profiles.exceptions import ProfileNotFoundError
from auth.sessions.constants import SECOND_FACTOR_ACR
from auth.sessions.dependencies import DeviceInfoDep
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.security.dependencies import JWTDataDep, is_strong_enough, require_recent_login
from chassis.security.exceptions import LoginTooOldError
from chassis.security.schemas import JWTData


@lru_cache(maxsize=16)
def require_full_login(max_age: timedelta) -> Callable[..., Awaitable[JWTData]]:
    """A login not older than that, by all that the account's logins ask for: with its second factor, if it has one."""

    async def check_login(
        jwt_data: Annotated[JWTData, Depends(require_recent_login(max_age))], reader: ReaderDep
    ) -> JWTData:
        """Raises LoginTooOldError."""
        is_full = is_strong_enough(jwt_data.acr, SECOND_FACTOR_ACR)
        if not is_full and await service.has_second_factor(reader, jwt_data.user_id):
            raise LoginTooOldError(max_age, SECOND_FACTOR_ACR)
        return jwt_data

    return check_login


async def get_recovery_code_digester(request: Request) -> RecoveryCodeDigester:
    digester: RecoveryCodeDigester = request.app.state.recovery_code_digester
    return digester


async def valid_mfa_document(jwt_data: JWTDataDep, reader: ReaderDep) -> asyncpg.Record:
    document = await service.get_document(reader, jwt_data.user_id)
    if document is None:
        raise ProfileNotFoundError
    return document


async def parse_own_prover(jwt_data: JWTDataDep, device: DeviceInfoDep, address_key: AddressKeyDep) -> Prover:
    return service.create_own_prover(jwt_data.user_id, device, address_key)


OwnProverDep = Annotated[Prover, Depends(parse_own_prover)]


async def begin_own_attempt(prover: OwnProverDep, limiter: RateLimiterDep) -> Attempt:
    """Raises LimitedError."""
    return await service.begin_attempt(limiter, prover)


async def valid_own_account(jwt_data: JWTDataDep, session: SessionDep) -> Account:
    """The caller's, locked until the end of the request."""
    account = await accounts.lock_account(session, jwt_data.user_id)
    if account is None:
        raise ProfileNotFoundError
    return account


RecoveryCodeDigesterDep = Annotated[RecoveryCodeDigester, Depends(get_recovery_code_digester)]
MfaDocumentDep = Annotated[asyncpg.Record, Depends(valid_mfa_document)]
OwnAttemptDep = Annotated[Attempt, Depends(begin_own_attempt)]
OwnAccountDep = Annotated[Account, Depends(valid_own_account)]
