"""Apps of others: registered by staff, each with what it may ask for and where people are sent back to."""

import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.apps.constants import SECRET_BYTES
from auth.apps.exceptions import AppPublicError
from auth.apps.models import App
from auth.apps.queries import APP, APP_DOCUMENT, LIST_APPS
from auth.apps.schemas import AppCreate, AppCreated, AppUpdate, RegisteredApp
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.clients.exceptions import ClientInvalidError
from auth.clients.service import compute_secret_digest
from auth.clients.utils import ClientCredentials
from auth.codes.service import delete_codes
from auth.sessions.constants import EndReason
from auth.sessions.service import end_sessions
from chassis.database.queries import Reader
from chassis.logs import get_logger
from chassis.pagination import PageBytes, PageParams

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Registrar:
    """Who of our staff does it, and from where."""

    id: UUID
    address: str | None


async def fetch_apps(reader: Reader, params: PageParams) -> PageBytes:
    page = await LIST_APPS.fetch_page(reader, params)
    assert page is not None  # noqa: S101 - the list has no owner that could be missing
    return page


async def get_app_document(reader: Reader, app_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(APP_DOCUMENT, app_id=app_id)


async def find_app(reader: Reader, client_id: str) -> RegisteredApp | None:
    try:
        app_id = UUID(client_id)
    except ValueError:
        return None
    row = await reader.fetch_row(APP, app_id=app_id)
    # A UUID can be written in many ways; a client has one name.
    if row is None or str(row["id"]) != client_id:
        return None
    return RegisteredApp(
        id=row["id"],
        name=row["name"],
        website=row["website"],
        redirect_uris=tuple(row["redirect_uris"]),
        scopes=frozenset(row["scopes"]),
        secret_digest=row["secret_digest"],
    )


async def check_app(reader: Reader, credentials: ClientCredentials) -> RegisteredApp:
    """A public one by its name alone, a confidential one by its secret. Raises ClientInvalidError."""
    app = await find_app(reader, credentials.client_id)
    if app is None or not is_secret_of(app, credentials.secret):
        logger.warning("client_refused", client_id=credentials.client_id[:64])
        raise ClientInvalidError
    return app


def is_secret_of(app: RegisteredApp, secret: str | None) -> bool:
    if app.secret_digest is None:
        # Form fields that are empty are as good as absent (RFC 6749, 3.2); a secret that nobody gave it is a mistake.
        return not secret
    return secret is not None and hmac.compare_digest(compute_secret_digest(secret), app.secret_digest)


async def lock_app(session: AsyncSession, app_id: UUID) -> App | None:
    """Held until the end of the transaction: nobody lets it in, and it gets no code, meanwhile."""
    statement = select(App).where(App.id == app_id).with_for_update()
    return (await session.scalars(statement.execution_options(populate_existing=True))).one_or_none()


async def hold_scopes(session: AsyncSession, app_id: UUID) -> frozenset[str]:
    """All that the app may ask for, until the end of the transaction; nothing where there is no such app any more."""
    scopes = await session.scalar(select(App.scopes).where(App.id == app_id).with_for_update(read=True))
    return frozenset(scopes or ())


async def create_app(session: AsyncSession, registrar: Registrar, data: AppCreate) -> AppCreated:
    secret = secrets.token_urlsafe(SECRET_BYTES) if data.is_confidential else None
    app = App(
        name=data.name,
        website=data.website,
        redirect_uris=data.redirect_uris,
        scopes=sorted(set(data.scopes)),
        secret_digest=None if secret is None else compute_secret_digest(secret),
    )
    session.add(app)
    await session.flush()
    await _record(session, AuditAction.CLIENT_CREATED, registrar, app)
    return AppCreated(client_id=app.id, client_secret=secret)


async def update_app(session: AsyncSession, registrar: Registrar, app: App, data: AppUpdate) -> None:
    """What it has been let do beyond its new scopes ends: the app is locked."""
    is_narrower = not set(app.scopes) <= set(data.scopes)
    app.name, app.website = data.name, data.website
    app.redirect_uris, app.scopes = data.redirect_uris, sorted(set(data.scopes))
    app.version += 1
    await session.flush()
    if is_narrower:
        await _end_all(session, app)
    await _record(session, AuditAction.CLIENT_UPDATED, registrar, app)


async def renew_secret(session: AsyncSession, registrar: Registrar, app: App) -> str:
    """Raises AppPublicError."""
    if app.secret_digest is None:
        raise AppPublicError
    secret = secrets.token_urlsafe(SECRET_BYTES)
    app.secret_digest = compute_secret_digest(secret)
    app.version += 1
    await session.flush()
    await _record(session, AuditAction.CLIENT_SECRET_RENEWED, registrar, app)
    return secret


async def delete_app(session: AsyncSession, registrar: Registrar, app: App) -> None:
    """With all that people let it do, at once. The app is locked."""
    await _end_all(session, app)
    await session.execute(delete(App).where(App.id == app.id))
    await _record(session, AuditAction.CLIENT_DELETED, registrar, app)


async def _end_all(session: AsyncSession, app: App) -> None:
    # The codes first: who redeems one meanwhile is waited for, and the session that it led to is seen.
    await delete_codes(session, app.id)
    await end_sessions(session, EndReason.CLIENT_CHANGED, client_id=str(app.id))


async def _record(session: AsyncSession, action: AuditAction, registrar: Registrar, app: App) -> None:
    details = {"client_id": str(app.id), "name": app.name, "scope": " ".join(app.scopes)}
    await record(session, action, subject_id=None, actor_id=registrar.id, address=registrar.address, details=details)
