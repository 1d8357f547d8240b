"""Somebody who exports, and the worker, which is played by its own reports."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from auth.profiles.models import Profile
from chassis.testing.databases import RolledBackDatabase

Headers = dict[str, str]
PATH = "/auth/exports"


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Callable[..., Awaitable[Headers]]) -> Headers:
    return await login(app, profile)


@pytest.fixture
async def worker(app: FastAPI, act_as_service: Callable[..., Awaitable[Headers]]) -> Headers:
    return await act_as_service(app, "worker", "jobs:work exports:read")


@pytest.fixture
def request_export() -> Callable[[httpx.AsyncClient, Headers], Awaitable[str]]:
    async def request(client: httpx.AsyncClient, headers: Headers) -> str:
        response = await client.post(PATH, headers=headers)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    return request


@pytest.fixture
def report() -> Callable[..., Awaitable[httpx.Response]]:
    async def post(
        client: httpx.AsyncClient, worker: Headers, export_id: str, step: str, **facts: Any
    ) -> httpx.Response:
        if "content" in facts:
            facts["content"] = b64encode(facts["content"]).decode()
        return await client.post(f"/internal/exports/{export_id}/{step}", json=facts, headers=worker)

    return post


@pytest.fixture
def complete(report: Callable[..., Awaitable[httpx.Response]]) -> Callable[..., Awaitable[httpx.Response]]:
    """What the worker does from claim to result."""

    async def play(
        client: httpx.AsyncClient, worker: Headers, export_id: str, *chunks: bytes, size: int | None = None
    ) -> httpx.Response:
        fence = (await report(client, worker, export_id, "claim")).json()["fence"]
        for number, content in enumerate(chunks):
            stored = await report(client, worker, export_id, "chunks", fence=fence, number=number, content=content)
            assert stored.status_code == 204, stored.text
        size = sum(map(len, chunks)) if size is None else size
        return await report(client, worker, export_id, "result", fence=fence, chunks=len(chunks), size=size)

    return play
