from datetime import timedelta

from fastapi import Depends, Request, Response

from auth.apps import service
from auth.apps.constants import RECENT_MINUTES
from auth.apps.dependencies import CurrentAppDep, RegistrarDep, ValidAppDep, ValidAppDocumentDep
from auth.apps.exceptions import AppNotFoundError, AppPublicError
from auth.apps.schemas import AppCreate, AppCreated, AppRead, AppSecretRead, AppUpdate
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.routing import create_router
from chassis.etags import NOT_MODIFIED, VersionStaleError, create_tagged_response
from chassis.pagination import CursorInvalidError, Page, PageParamsDep
from chassis.problems import problem_responses
from chassis.security.dependencies import require_recent_login, require_scope
from chassis.security.exceptions import (
    TOKEN_ERRORS,
    LoginTooOldError,
)

MAY_READ = Depends(require_scope("clients:read"))
MAY_WRITE = Depends(require_scope("clients:write"))
RECENT = Depends(require_recent_login(timedelta(minutes=RECENT_MINUTES)))

router = create_router(prefix="/admin/clients", tags=["clients"])


@router.get(
    "",
    response_model=Page[AppRead],
    status_code=200,
    summary="List the apps of others",
    responses=problem_responses(*TOKEN_ERRORS, CursorInvalidError),
    dependencies=[MAY_READ],
)
async def list_apps(request: Request, params: PageParamsDep, reader: ReaderDep) -> Response:
    """The newest first: OAuth clients that people can let in. Our services are none of them."""
    page = await service.fetch_apps(reader, params)
    return page.to_response(request)


@router.get(
    "/{client_id}",
    response_model=AppRead,
    status_code=200,
    summary="Get an app",
    responses=NOT_MODIFIED | problem_responses(*TOKEN_ERRORS, AppNotFoundError),
    dependencies=[MAY_READ],
)
async def get_app(request: Request, document: ValidAppDocumentDep) -> Response:
    """Its secret can be shown to nobody, only renewed."""
    return create_tagged_response(request, document["version"], document["body"])


@router.post(
    "",
    status_code=201,
    summary="Register an app",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError),
    dependencies=[MAY_WRITE, RECENT],
)
async def create_app(app_data: AppCreate, registrar: RegistrarDep, session: SessionDep) -> AppCreated:
    """From now on it can send people to `/auth/authorize`. A confidential one gets a secret, shown this once."""
    return await service.create_app(session, registrar, app_data)


@router.post(
    "/{client_id}/secret",
    status_code=200,
    summary="Renew the secret of an app",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, AppNotFoundError, AppPublicError),
    dependencies=[MAY_WRITE, RECENT],
)
async def create_app_secret(app: ValidAppDep, registrar: RegistrarDep, session: SessionDep) -> AppSecretRead:
    """The former one works no more. What people let the app do goes on."""
    return AppSecretRead(client_secret=await service.renew_secret(session, registrar, app))


@router.put(
    "/{client_id}",
    status_code=204,
    summary="Change an app",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, AppNotFoundError, VersionStaleError),
    dependencies=[MAY_WRITE, RECENT],
)
async def update_app(app: CurrentAppDep, app_data: AppUpdate, registrar: RegistrarDep, session: SessionDep) -> None:
    """Where a scope is taken away, all its tokens end; it gets others, of what is left, by asking again."""
    await service.update_app(session, registrar, app, app_data)


@router.delete(
    "/{client_id}",
    status_code=204,
    summary="Delete an app",
    responses=problem_responses(*TOKEN_ERRORS, LoginTooOldError, AppNotFoundError),
    dependencies=[MAY_WRITE, RECENT],
)
async def delete_app(app: ValidAppDep, registrar: RegistrarDep, session: SessionDep) -> None:
    """With all consents. No service takes its tokens a second later."""
    await service.delete_app(session, registrar, app)
