from uuid import UUID

from fastapi import Depends, Request, Response

from auth.limits.constants import LimitRule
from auth.limits.dependencies import limit_by_address
from auth.limits.exceptions import LimitedError
from auth.mfa.constants import RECENT
from auth.mfa.dependencies import OwnAccountDep, RecoveryCodeDigesterDep, require_full_login
from auth.mfa.exceptions import FactorsTooManyError
from auth.passkeys import service
from auth.passkeys.dependencies import OwnLoginDep, RelyingPartyDep
from auth.passkeys.exceptions import (
    PasskeyInvalidError,
    PasskeyNotFoundError,
    PasskeyTakenError,
)
from auth.passkeys.schemas import (
    AuthenticationOptionsRead,
    PasskeyAdded,
    PasskeyCreate,
    PasskeyRead,
    PasskeyUpdate,
    RegistrationOptionsRead,
)
from auth.profiles.exceptions import ProfileNotFoundError
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import create_router
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import JWTDataDep
from chassis.security.exceptions import (
    TOKEN_ERRORS,
    LoginTooOldError,
)

LIMITED = Depends(limit_by_address(LimitRule.PASSKEY))
FULL_LOGIN = Depends(require_full_login(RECENT))

router = create_router(prefix="/auth/passkeys", tags=["passkeys"])


@router.get(
    "",
    response_model=Page[PasskeyRead],
    status_code=200,
    summary="List one's own passkeys",
    responses=problem_responses(*TOKEN_ERRORS, CursorInvalidError),
)
async def list_passkeys(request: Request, jwt_data: JWTDataDep, params: PageParamsDep, reader: ReaderDep) -> Response:
    """The newest first, with the moment that each was last used."""
    page = await service.fetch_passkeys(reader, jwt_data.user_id, params)
    return page.to_response(request)


@router.post(
    "/registration/options",
    status_code=200,
    summary="Begin to add a passkey",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, ProfileNotFoundError, LimitedError),
    dependencies=[LIMITED, FULL_LOGIN],
)
async def create_registration_options(
    login: OwnLoginDep, rp: RelyingPartyDep, session: SessionDep
) -> RegistrationOptionsRead:
    """For `PublicKeyCredential.parseCreationOptionsFromJSON()`. The challenge works once, for five minutes."""
    return await service.create_registration_options(session, rp, login)


@router.post(
    "",
    status_code=201,
    summary="Add a passkey",
    responses=problem_responses(
        *TOKEN_ERRORS,
        LoginTooOldError,
        ProfileNotFoundError,
        PasskeyInvalidError,
        PasskeyTakenError,
        FactorsTooManyError,
        LimitedError,
    ),
    dependencies=[LIMITED, FULL_LOGIN],
)
async def create_passkey(
    passkey_data: PasskeyCreate,
    account: OwnAccountDep,
    rp: RelyingPartyDep,
    digester: RecoveryCodeDigesterDep,
    session: SessionDep,
) -> PasskeyAdded:
    """With what `navigator.credentials.create()` gave, as its `toJSON()` writes it. The owner is told by mail.

    It is a second factor from then on: a password alone is not enough any more. With the first one come recovery codes.
    """
    return await service.register_passkey(session, rp, digester, account, passkey_data)


@router.patch(
    "/{passkey_id}",
    status_code=204,
    summary="Name a passkey",
    responses=problem_responses(*TOKEN_ERRORS, PasskeyNotFoundError),
)
async def update_passkey(
    passkey_id: UUID, passkey_data: PasskeyUpdate, jwt_data: JWTDataDep, session: SessionDep
) -> None:
    """So that one knows it again in the list. `null` takes the name away."""
    await service.rename_passkey(session, jwt_data.user_id, passkey_id, passkey_data.name)


@router.delete(
    "/{passkey_id}",
    status_code=204,
    summary="Remove a passkey",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, ProfileNotFoundError, PasskeyNotFoundError),
    dependencies=[FULL_LOGIN],
)
async def delete_passkey(passkey_id: UUID, account: OwnAccountDep, session: SessionDep) -> None:
    """Nobody logs in with it any more. Sessions that began with it go on. The owner is told by mail.

    With the last second factor the recovery codes go, too.
    """
    await service.delete_passkey(session, account, passkey_id)


@router.post(
    "/authentication/options",
    status_code=200,
    summary="Begin to log in with a passkey",
    responses=problem_responses(LimitedError),
    dependencies=[LIMITED],
)
async def create_authentication_options(rp: RelyingPartyDep, session: SessionDep) -> AuthenticationOptionsRead:
    """For `PublicKeyCredential.parseRequestOptionsFromJSON()`, also with `mediation: "conditional"`.

    The same for everybody: whose passkey it will be nobody knows yet. What `navigator.credentials.get()` gives goes,
    within five minutes, as `assertion` to `POST /auth/token`.
    """
    return await service.create_authentication_options(session, rp)
