from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends

from auth.apps import service
from auth.apps.exceptions import AppNotFoundError
from auth.apps.models import App
from auth.apps.service import Registrar
from auth.sessions.dependencies import DeviceInfoDep
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.etags import IfMatchDep
from chassis.security.dependencies import JWTDataDep


async def valid_app_document(client_id: UUID, reader: ReaderDep) -> asyncpg.Record:
    document = await service.get_app_document(reader, client_id)
    if document is None:
        raise AppNotFoundError
    return document


async def valid_app(client_id: UUID, session: SessionDep) -> App:
    """Locked until the end of the request."""
    app = await service.lock_app(session, client_id)
    if app is None:
        raise AppNotFoundError
    return app


async def valid_current_app(app: Annotated[App, Depends(valid_app)], if_match: IfMatchDep) -> App:
    """Raises VersionStaleError."""
    if_match.check(app.version)
    return app


async def parse_registrar(jwt_data: JWTDataDep, device: DeviceInfoDep) -> Registrar:
    return Registrar(jwt_data.user_id, device.address)


ValidAppDocumentDep = Annotated[asyncpg.Record, Depends(valid_app_document)]
ValidAppDep = Annotated[App, Depends(valid_app)]
CurrentAppDep = Annotated[App, Depends(valid_current_app)]
RegistrarDep = Annotated[Registrar, Depends(parse_registrar)]
