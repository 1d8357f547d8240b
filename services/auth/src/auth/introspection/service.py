"""What clients ask about tokens, and which they give up."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.apps import service as apps
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.clients import service as clients
from auth.clients.utils import ClientCredentials
from auth.introspection.exceptions import TokenForeignError, TokenTypeUnsupportedError
from auth.introspection.queries import OPEN_SESSION_ID, REFRESH_TOKEN
from auth.introspection.schemas import ActiveTokenRead, InactiveTokenRead, KnownClient
from auth.sessions.constants import EndReason
from auth.sessions.models import LoginSession
from auth.sessions.service import end_sessions, find_session_id
from auth.sessions.utils import compute_digest
from chassis.config import load_config
from chassis.database.queries import Reader
from chassis.problems import UnauthorizedError
from chassis.security.config import TokenConfig
from chassis.security.constants import SERVICE_SUBJECT_PREFIX
from chassis.security.schemas import JWTData, ServiceJWTData
from chassis.security.verifier import TokenVerifier

INACTIVE = InactiveTokenRead(active=False)


async def check_client(reader: Reader, credentials: ClientCredentials) -> KnownClient:
    """A service of ours or an app of somebody else. Raises ClientInvalidError."""
    if credentials.secret and await clients.check_client(reader, credentials.client_id, credentials.secret) is not None:
        return KnownClient(credentials.client_id, is_service=True)
    app = await apps.check_app(reader, credentials)
    return KnownClient(app.client_id, is_service=False)


async def introspect_token(
    reader: Reader, verifier: TokenVerifier, client: KnownClient, token: str
) -> ActiveTokenRead | InactiveTokenRead:
    """As it is now, by the database: with a session its tokens end at once. An app is told of its own alone."""
    found = await _find_token(reader, verifier, token)
    if found is None or not (client.is_service or found.client_id == client.client_id):
        return INACTIVE
    return found


async def _find_token(reader: Reader, verifier: TokenVerifier, token: str) -> ActiveTokenRead | None:
    try:
        data = await verifier.verify_user_token(token)
    except UnauthorizedError:
        return await _find_other_token(reader, verifier, token)
    is_open = await reader.fetch_row(OPEN_SESSION_ID, session_id=data.session_id) is not None
    return _describe_user_token(data) if is_open else None


async def _find_other_token(reader: Reader, verifier: TokenVerifier, token: str) -> ActiveTokenRead | None:
    try:
        return _describe_service_token(await verifier.verify_service_token(token))
    except UnauthorizedError:
        row = await reader.fetch_row(REFRESH_TOKEN, digest=compute_digest(token))
    if row is None:
        return None
    return ActiveTokenRead(
        active=True,
        scope=row["scope"],
        client_id=row["client_id"],
        sub=str(row["profile_id"]),
        exp=int(row["ends_at"].timestamp()),
    )


def _describe_user_token(data: JWTData) -> ActiveTokenRead:
    config = load_config(TokenConfig)
    return ActiveTokenRead(
        active=True,
        scope=" ".join(sorted(data.scopes)),
        client_id=data.client_id,
        sub=str(data.user_id),
        exp=int(data.expires_at.timestamp()),
        iat=int(data.issued_at.timestamp()),
        iss=config.issuer,
        aud=config.audience,
        jti=data.token_id,
        token_type="Bearer",  # noqa: S106 - a type
        auth_time=int(data.authenticated_at.timestamp()),
        acr=data.acr,
    )


def _describe_service_token(data: ServiceJWTData) -> ActiveTokenRead:
    config = load_config(TokenConfig)
    return ActiveTokenRead(
        active=True,
        scope=" ".join(sorted(data.scopes)),
        client_id=data.client_id,
        sub=f"{SERVICE_SUBJECT_PREFIX}{data.client_id}",
        exp=int(data.expires_at.timestamp()),
        iat=int(data.issued_at.timestamp()),
        iss=config.issuer,
        aud=config.internal_audience,
        jti=data.token_id,
        token_type="Bearer",  # noqa: S106 - a type
    )


async def revoke_token(session: AsyncSession, verifier: TokenVerifier, client: KnownClient, token: str) -> None:
    """The session that it is of ends, and all its tokens with it. What is no token any more is fine.

    Raises TokenTypeUnsupportedError, TokenForeignError.
    """
    if client.is_service:
        raise TokenTypeUnsupportedError
    session_id = await find_session_id(session, token)
    if session_id is None:
        try:
            session_id = (await verifier.verify_user_token(token)).session_id
        except UnauthorizedError:
            return
    found = select(LoginSession.client_id, LoginSession.profile_id).where(LoginSession.id == session_id)
    row = (await session.execute(found)).one_or_none()
    if row is None:
        return
    if row.client_id != client.client_id:
        raise TokenForeignError
    if await end_sessions(session, EndReason.TOKEN_REVOKED, session_ids=[session_id]):
        details = {"session_id": str(session_id), "client_id": client.client_id}
        await record(session, AuditAction.SESSION_ENDED, subject_id=row.profile_id, details=details)
