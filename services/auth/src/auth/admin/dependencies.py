from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import Depends, Query

from auth.accounts.constants import EMAIL_MAX_LENGTH, Role
from auth.accounts.utils import find_spelling
from auth.admin import service
from auth.admin.exceptions import OwnAccountError, UserNotFoundError, UserProtectedError
from auth.admin.schemas import UserState
from auth.admin.service import Act
from auth.sessions.dependencies import DeviceInfoDep
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.problems import BadRequestError
from chassis.security.dependencies import JWTDataDep

ADMIN_SCOPE = "roles:grant"


class SearchAmbiguousError(BadRequestError):
    code = "search_ambiguous"
    title = "One of email, username, role and state at a time"


@dataclass(frozen=True, slots=True)
class UserSearch:
    name: str
    values: dict[str, Any]


async def parse_user_search(
    email: Annotated[str | None, Query(max_length=EMAIL_MAX_LENGTH, description="The whole address.")] = None,
    username: Annotated[
        str | None, Query(max_length=30, pattern="^[A-Za-z0-9_]+$", description="Its beginning.")
    ] = None,
    role: Role | None = None,
    state: UserState | None = None,
) -> UserSearch:
    given = [name for name, value in (("email", email), ("username", username), ("role", role)) if value is not None]
    if len(given) + (state is not None) > 1:
        raise SearchAmbiguousError
    if email is not None:
        return UserSearch("email", {"email": find_spelling(email)})
    if username is not None:
        return UserSearch("username", {"username": username.lower(), "username_end": f"{username.lower()}\x7f"})
    if role is not None:
        return UserSearch("role", {"role": role.value})
    return UserSearch(state.value if state is not None else "all", {})


async def valid_user_document(user_id: UUID, reader: ReaderDep) -> asyncpg.Record:
    document = await service.get_user_document(reader, user_id)
    if document is None:
        raise UserNotFoundError
    return document


async def valid_act(user_id: UUID, jwt_data: JWTDataDep, device: DeviceInfoDep, session: SessionDep) -> Act:
    """Somebody else's account, which the caller may act on, held until the end of the request."""
    if user_id == jwt_data.user_id:
        raise OwnAccountError
    account = await service.lock_user(session, user_id)
    if account is None:
        raise UserNotFoundError
    if account.roles and ADMIN_SCOPE not in jwt_data.scopes:
        raise UserProtectedError
    return Act(jwt_data.user_id, account, device.address)


UserSearchDep = Annotated[UserSearch, Depends(parse_user_search)]
ValidUserDocumentDep = Annotated[asyncpg.Record, Depends(valid_user_document)]
ActDep = Annotated[Act, Depends(valid_act)]
