from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI

from chassis.error_handlers import install_error_handlers
from chassis.security.dependencies import (
    OPTIONAL_TOKEN,
    JWTDataDep,
    OptionalJWTDataDep,
    allow_scope,
    parse_jwt_data,
    require_recent_login,
    require_scope,
    require_service_scope,
)
from chassis.security.schemas import JWTData, ServiceJWTData
from chassis.testing.clock import HeldClock
from chassis.testing.tokens import TokenSigner

ServiceDep = Annotated[ServiceJWTData, Depends(require_service_scope("ships:read"))]


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def user_id() -> UUID:
    return UUID("01980000-0000-7000-8000-000000000001")


async def valid_sailor(jwt_data: JWTDataDep) -> UUID:
    return jwt_data.user_id


def add_guarded_routes(app: FastAPI) -> None:
    @app.post("/letters", dependencies=[Depends(require_scope("letters:write"))])
    async def create_letter(_: JWTDataDep, sailor_id: Annotated[UUID, Depends(valid_sailor)]) -> UUID:
        return sailor_id

    @app.post("/orders", dependencies=[Depends(require_scope("orders:write"))])
    async def create_order(_: JWTDataDep) -> None: ...

    @app.post("/helm", dependencies=[Depends(require_recent_login(timedelta(minutes=10)))])
    async def take_helm() -> None: ...

    @app.post("/powder", dependencies=[Depends(require_recent_login(timedelta(minutes=10), "aal2"))])
    async def open_powder_room() -> None: ...


@pytest.fixture
def app(signer: TokenSigner) -> FastAPI:
    app = FastAPI()
    install_error_handlers(app)
    app.state.token_verifier = signer.verifier()
    add_guarded_routes(app)

    @app.get("/me")
    async def get_me(jwt_data: JWTDataDep) -> JWTData:
        return jwt_data

    @app.get("/anyone", openapi_extra=OPTIONAL_TOKEN)
    async def get_anyone(jwt_data: OptionalJWTDataDep) -> JWTData | None:
        return jwt_data

    @app.get("/letters", openapi_extra=OPTIONAL_TOKEN)
    async def get_letters(
        jwt_data: Annotated[JWTData | None, Depends(allow_scope("letters:read"))],
    ) -> JWTData | None:
        return jwt_data

    @app.get("/internal/ships")
    async def list_ships(jwt_data: ServiceDep) -> ServiceJWTData:
        return jwt_data

    @app.get("/chained", dependencies=[Depends(parse_jwt_data)])
    async def get_chained(_: JWTDataDep, sailor_id: Annotated[UUID, Depends(valid_sailor)]) -> UUID:
        return sailor_id

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client
