"""The two routes by which every service gives out what it holds about somebody."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Mapped

from chassis.app import ServiceSpec, create_app
from chassis.config import AppConfig, Environment
from chassis.database.engine import Database
from chassis.database.models import Base, HasId, HasTimestamps
from chassis.database.queries import json_object
from chassis.exports import USER_ID, ExportPart, create_export_router
from chassis.pagination import PageQuery
from chassis.testing.tokens import TokenSigner

PATHS = ("/internal/export-parts", f"/internal/users/{UUID(int=7)}/data?part=keepsakes")


class Keepsake(HasId, HasTimestamps, Base):
    __tablename__ = "keepsake"

    owner_id: Mapped[UUID]
    text: Mapped[str]


KEEPSAKES = PageQuery(
    "keepsakes",
    select(Keepsake).where(Keepsake.owner_id == USER_ID),
    item=json_object(text=Keepsake.text),
    moment=Keepsake.created_at,
    item_id=Keepsake.id,
)


@asynccontextmanager
async def open_nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
async def app(committed_database: Database, signer: TokenSigner) -> FastAPI:
    async with committed_database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.tables["keepsake"].create)
    router = create_export_router([ExportPart("keepsakes", "What you kept", KEEPSAKES, 7)])
    spec = ServiceSpec(name="attic", description="", router=router, lifespan=open_nothing)
    app = create_app(spec, AppConfig(environment=Environment.LOCAL))
    app.state.database = committed_database
    app.state.token_verifier = signer.verifier()
    return app


@pytest.fixture
def add_keepsakes(committed_database: Database) -> Callable[[UUID, int], Awaitable[None]]:
    async def add(owner_id: UUID, number: int) -> None:
        for index in range(number):
            async with committed_database.transaction() as session:
                session.add(Keepsake(owner_id=owner_id, text=str(index)))

    return add


def create_header(signer: TokenSigner, scope: str = "exports:read") -> dict[str, str]:
    return {"Authorization": f"Bearer {signer.issue_service_token('worker', [scope])}"}


class TestExportRouter:
    @pytest.mark.parametrize("path", PATHS)
    async def test_anonymous(self, client: httpx.AsyncClient, path: str) -> None:
        assert (await client.get(path)).status_code == 401

    @pytest.mark.parametrize("path", PATHS)
    async def test_forbidden(self, client: httpx.AsyncClient, signer: TokenSigner, path: str) -> None:
        assert (await client.get(path, headers=create_header(signer, "jobs:work"))).status_code == 403
        person = {"Authorization": f"Bearer {signer.issue_user_token(uuid4(), scopes=['exports:read'])}"}
        assert (await client.get(path, headers=person)).status_code == 401

    async def test_not_found(self, client: httpx.AsyncClient, signer: TokenSigner) -> None:
        path = f"/internal/users/{uuid4()}/data?part=secrets"
        response = await client.get(path, headers=create_header(signer))
        assert (response.status_code, response.json()["code"]) == (404, "export_part_not_found")

    async def test_parts(self, client: httpx.AsyncClient, signer: TokenSigner) -> None:
        response = await client.get(PATHS[0], headers=create_header(signer))
        assert response.json() == {"items": [{"name": "keepsakes", "about": "What you kept", "page_limit": 7}]}

    async def test_valid(
        self,
        client: httpx.AsyncClient,
        signer: TokenSigner,
        add_keepsakes: Callable[[UUID, int], Awaitable[None]],
    ) -> None:
        """Of one person, the newest first, page by page; a cursor is of nobody else's list."""
        owner_id, other_id = uuid4(), uuid4()
        await add_keepsakes(owner_id, 5)
        await add_keepsakes(other_id, 1)
        path, headers = f"/internal/users/{owner_id}/data", create_header(signer)
        texts: list[str] = []
        params: dict[str, Any] = {"part": "keepsakes", "limit": 2}
        while True:
            page = (await client.get(path, params=params, headers=headers)).json()
            texts += [item["text"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
        assert texts == ["4", "3", "2", "1", "0"]
        stray = await client.get(f"/internal/users/{other_id}/data", params=params, headers=headers)
        assert (stray.status_code, stray.json()["code"]) == (400, "cursor_invalid")
