from collections.abc import AsyncIterator
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
    parse_jwt_data,
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


@pytest.fixture
def app(signer: TokenSigner) -> FastAPI:
    app = FastAPI()
    install_error_handlers(app)
    app.state.token_verifier = signer.verifier()

    @app.get("/me")
    async def get_me(jwt_data: JWTDataDep) -> JWTData:
        return jwt_data

    @app.get("/anyone", openapi_extra=OPTIONAL_TOKEN)
    async def get_anyone(jwt_data: OptionalJWTDataDep) -> JWTData | None:
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
