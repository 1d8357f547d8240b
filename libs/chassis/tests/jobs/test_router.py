from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from chassis.app import ServiceSpec, create_app
from chassis.config import AppConfig, Environment
from chassis.database.engine import Database
from chassis.jobs.router import create_due_jobs_router
from chassis.jobs.sources import JobSource
from chassis.testing.tokens import TokenSigner

URL = "/internal/jobs/due"


@asynccontextmanager
async def open_nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
def app(committed_database: Database, signer: TokenSigner, chore_model: type[Any]) -> FastAPI:
    sources = [
        JobSource(chore_model, "chores.answer", "cpu", chore_model.dot_at.is_(None)),
        JobSource(chore_model, "chores.other", "mail", chore_model.dot_at.is_not(None)),
    ]
    spec = ServiceSpec(name="chores", description="", router=create_due_jobs_router(sources), lifespan=open_nothing)
    app = create_app(spec, AppConfig(environment=Environment.LOCAL))
    app.state.database = committed_database
    app.state.token_verifier = signer.verifier()
    return app


def create_header(signer: TokenSigner, scope: str = "jobs:work") -> dict[str, str]:
    return {"Authorization": f"Bearer {signer.issue_service_token('worker', [scope])}"}


class TestListDue:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get(URL)).status_code == 401

    async def test_forbidden(self, client: httpx.AsyncClient, signer: TokenSigner) -> None:
        response = await client.get(URL, headers=create_header(signer, "events:read"))
        assert response.status_code == 403

    async def test_valid(
        self, client: httpx.AsyncClient, signer: TokenSigner, add_chore: Callable[..., Awaitable[UUID]]
    ) -> None:
        job_id = await add_chore()
        await add_chore(state="done")
        response = await client.get(URL, headers=create_header(signer))
        assert response.json() == {"items": [{"task": "chores.answer", "queue": "cpu", "job_id": str(job_id)}]}

    async def test_no_kind_crowds_out_the_others(
        self, client: httpx.AsyncClient, signer: TokenSigner, add_chore: Callable[..., Awaitable[UUID]]
    ) -> None:
        for _ in range(5):
            await add_chore()
        await add_chore(dot_at=datetime.now(UTC))
        response = await client.get(URL, params={"limit": 4}, headers=create_header(signer))
        assert [item["queue"] for item in response.json()["items"]] == ["cpu", "cpu", "mail"]

    @pytest.mark.parametrize("limit", [0, 101])
    async def test_range(self, client: httpx.AsyncClient, signer: TokenSigner, limit: int) -> None:
        assert (await client.get(URL, params={"limit": limit}, headers=create_header(signer))).status_code == 422
