from datetime import timedelta

from fastapi import Depends, Request, Response

from auth.accounts.exceptions import LastAdminError
from auth.admin import service
from auth.admin.constants import RECENT_MINUTES
from auth.admin.dependencies import ActDep, SearchAmbiguousError, UserSearchDep, ValidUserDocumentDep
from auth.admin.exceptions import OwnAccountError, UserNotFoundError, UserProtectedError
from auth.admin.schemas import BanInput, DeletionInput, FactorsReset, RolesUpdate, UserRead
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import create_router
from chassis.etags import NOT_MODIFIED, create_tagged_response
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import require_recent_login, require_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
    LoginTooOldError,
)

ACT_ERRORS = (*TOKEN_ERRORS, LoginTooOldError, OwnAccountError, UserNotFoundError, UserProtectedError)
RECENT = Depends(require_recent_login(timedelta(minutes=RECENT_MINUTES)))

router = create_router(prefix="/admin/users", tags=["admin"])


@router.get(
    "",
    response_model=Page[UserRead],
    status_code=200,
    summary="Find users",
    responses=problem_responses(*TOKEN_ERRORS, CursorInvalidError, SearchAmbiguousError),
    dependencies=[Depends(require_scope("users:read"))],
)
async def list_users(request: Request, search: UserSearchDep, params: PageParamsDep, reader: ReaderDep) -> Response:
    """By address, by the beginning of the username, by role or by state; without any of them all, the newest first."""
    page = await service.fetch_users(reader, params, search.name, **search.values)
    return page.to_response(request)


@router.get(
    "/{user_id}",
    response_model=UserRead,
    status_code=200,
    summary="Get a user",
    responses=NOT_MODIFIED | problem_responses(*TOKEN_ERRORS, UserNotFoundError),
    dependencies=[Depends(require_scope("users:read"))],
)
async def get_user(request: Request, document: ValidUserDocumentDep) -> Response:
    """With what only staff may see."""
    return create_tagged_response(request, document["version"], document["body"])


@router.post(
    "/{user_id}/ban",
    status_code=204,
    summary="Ban a user",
    responses=problem_responses(*ACT_ERRORS),
    dependencies=[Depends(require_scope("users:ban")), RECENT],
)
async def ban_user(act: ActDep, ban: BanInput, session: SessionDep) -> None:
    """Ends all their sessions, in every service within a second, and nobody sees their profile and posts.

    The user is told that they are banned; the reason is for the record.
    """
    await service.ban_user(session, act, ban.reason)


@router.post(
    "/{user_id}/unban",
    status_code=204,
    summary="Lift a ban",
    responses=problem_responses(*ACT_ERRORS),
    dependencies=[Depends(require_scope("users:ban")), RECENT],
)
async def unban_user(act: ActDep, ban: BanInput, session: SessionDep) -> None:
    """They can log in again, and are seen again."""
    await service.unban_user(session, act, ban.reason)


@router.post(
    "/{user_id}/deletion",
    status_code=204,
    summary="Delete a user",
    responses=problem_responses(*ACT_ERRORS, LastAdminError),
    dependencies=[Depends(require_scope("users:delete")), RECENT],
)
async def delete_user(act: ActDep, deletion: DeletionInput, session: SessionDep) -> None:
    """For good, as if they had done it themselves; they are told by mail that it was done, and not why."""
    await service.delete_user(session, act, deletion.reason)


@router.put(
    "/{user_id}/creator",
    status_code=204,
    summary="Make a user a creator",
    responses=problem_responses(*ACT_ERRORS),
    dependencies=[Depends(require_scope("creators:grant")), RECENT],
)
async def grant_creator(act: ActDep, session: SessionDep) -> None:
    """Doing it again changes nothing."""
    await service.grant_creator(session, act)


@router.delete(
    "/{user_id}/sessions",
    status_code=204,
    summary="End all sessions of a user",
    responses=problem_responses(*ACT_ERRORS),
    dependencies=[Depends(require_scope("sessions:end")), RECENT],
)
async def delete_user_sessions(act: ActDep, session: SessionDep) -> None:
    """On all devices and of all apps. They can log in again."""
    await service.end_user_sessions(session, act)


@router.post(
    "/{user_id}/mfa-reset",
    status_code=204,
    summary="Take the second factors of a user away",
    responses=problem_responses(*ACT_ERRORS),
    dependencies=[Depends(require_scope("factors:reset")), RECENT],
)
async def reset_factors(act: ActDep, reset: FactorsReset, session: SessionDep) -> None:
    """For who has lost all of them, recovery codes too. Ends their sessions; they are told by mail.

    Where there is none, nothing changes.
    """
    await service.reset_factors(session, act, reset.reason)


@router.put(
    "/{user_id}/roles",
    status_code=204,
    summary="Set the roles of a user",
    responses=problem_responses(*ACT_ERRORS, LastAdminError),
    dependencies=[Depends(require_scope("roles:grant")), RECENT],
)
async def update_roles(act: ActDep, update: RolesUpdate, session: SessionDep) -> None:
    """Ends the user's sessions: the next login has the scopes of the new roles."""
    await service.change_roles(session, act, update.roles)
