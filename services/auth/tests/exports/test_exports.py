"""Copies of one's own data: asked for, listed, fetched, gone after a while."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text, update

from auth.audit.models import AuditEntry
from auth.exports.models import Export, ExportChunk
from auth.exports.schemas import ExportRead
from auth.exports.service import delete_old_exports
from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.profiles.models import Profile
from chassis.config import load_config
from chassis.database.engine import Database
from chassis.pagination import Page
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

CreateProfile = Callable[..., Awaitable[Profile]]
Headers = dict[str, str]
Login = Callable[..., Awaitable[Headers]]
Request = Callable[[httpx.AsyncClient, Headers], Awaitable[str]]
Play = Callable[..., Awaitable[httpx.Response]]
PATH = "/auth/exports"
PIECES = (b"PK" + b"1" * 524_286, b"the end")


async def list_states(client: httpx.AsyncClient, headers: Headers) -> list[tuple[str, str]]:
    page = Page[ExportRead].model_validate_json((await client.get(PATH, headers=headers)).content, extra="forbid")
    return [(str(item.id), item.state) for item in page.items]


class TestCreateExport:
    @pytest.mark.parametrize(
        ("method", "path"), [("GET", PATH), ("POST", PATH), ("GET", f"{PATH}/{UUID(int=7)}/archive")]
    )
    async def test_anonymous(self, client: httpx.AsyncClient, method: str, path: str) -> None:
        response = await client.request(method, path)
        assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    @pytest.mark.parametrize(("method", "path"), [("POST", PATH), ("GET", f"{PATH}/{UUID(int=7)}/archive")])
    async def test_login_too_old(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        profile: Profile,
        login: Login,
        method: str,
        path: str,
    ) -> None:
        old = await login(app, profile, authenticated_at=datetime.now(UTC) - timedelta(minutes=11))
        response = await client.request(method, path, headers=old)
        assert (response.status_code, response.json()["code"]) == (401, "login_too_old")

    @pytest.mark.parametrize(
        ("method", "path", "status"), [("POST", PATH, 202), ("GET", f"{PATH}/{UUID(int=7)}/archive", 404)]
    )
    async def test_wants_a_login_by_both_factors(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        profile: Profile,
        login: Login,
        turn_on_totp: Callable[..., Awaitable[Any]],
        method: str,
        path: str,
        status: int,
    ) -> None:
        """Who has a second factor shows it before all that is known of them goes out."""
        weak = await login(app, profile)
        await turn_on_totp(app, profile)
        refused = await client.request(method, path, headers=weak)
        assert (refused.status_code, refused.json()["code"]) == (401, "login_too_old")
        assert 'acr_values="aal2"' in refused.headers["WWW-Authenticate"]
        strong = await login(app, profile, amr=("pwd", "otp", "mfa"), acr="aal2")
        assert (await client.request(method, path, headers=strong)).status_code == status

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, worker: Headers
    ) -> None:
        response = await client.post(PATH, headers=headers)
        assert response.status_code == 202
        shown = ExportRead.model_validate_json(response.content, extra="forbid")
        assert await list_states(client, headers) == [(str(shown.id), "processing")]
        due = (await client.get("/internal/jobs/due", headers=worker)).json()
        assert due == {"items": [{"task": "auth.build_export", "queue": "cpu", "job_id": str(shown.id)}]}
        async with database.transaction() as session:
            assert await session.scalar(select(AuditEntry.action)) == "export_requested"

    async def test_conflict(self, client: httpx.AsyncClient, headers: Headers, request_export: Request) -> None:
        await request_export(client, headers)
        response = await client.post(PATH, headers=headers)
        assert (response.status_code, response.json()["code"]) == (409, "export_pending")
        assert len(await list_states(client, headers)) == 1

    async def test_too_often(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        headers: Headers,
        worker: Headers,
        complete: Play,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What is refused because one is under way does not count."""
        monkeypatch.setenv("LIMITS_EXPORT", "2/day")
        load_config.cache_clear()
        app.state.rate_limiter = RateLimiter(LimitsConfig(), b"of-the-limits", None, local_share=1)
        export_id = ""
        for _ in range(2):
            export_id = (await client.post(PATH, headers=headers)).json()["id"]
            assert (await client.post(PATH, headers=headers)).status_code == 409
            await complete(client, worker, export_id, *PIECES)
        refused = await client.post(PATH, headers=headers)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 80_000
        assert await list_states(client, headers) == [(export_id, "ready")]

    async def test_another_takes_the_place_of_the_last(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        worker: Headers,
        request_export: Request,
        complete: Play,
    ) -> None:
        first = await request_export(client, headers)
        await complete(client, worker, first, *PIECES)
        second = await request_export(client, headers)
        assert await list_states(client, headers) == [(second, "processing")]
        assert (await client.get(f"{PATH}/{first}/archive", headers=headers)).status_code == 404
        async with database.transaction() as session:
            assert await session.scalar(select(func.count()).select_from(ExportChunk)) == 0

    async def test_ten_at_once_are_one(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        headers = await login(committed_app, await create_profile(committed_database))
        answers = await asyncio.gather(*(committed_client.post(PATH, headers=headers) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [202] + [409] * 9
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"export_pending"}
        assert len(await list_states(committed_client, headers)) == 1


class TestGetArchive:
    @pytest.fixture
    async def export_id(
        self, client: httpx.AsyncClient, headers: Headers, worker: Headers, request_export: Request, complete: Play
    ) -> str:
        export_id = await request_export(client, headers)
        assert (await complete(client, worker, export_id, *PIECES)).status_code == 204
        return export_id

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, export_id: str
    ) -> None:
        with record_statements(database) as statements:
            response = await client.get(f"{PATH}/{export_id}/archive", headers=headers)
        assert (response.status_code, response.content) == (200, b"".join(PIECES))
        # Whether the account has a second factor, which archive, and one piece after the other.
        assert len(statements) == 2 + len(PIECES)
        assert response.headers["Content-Type"] == "application/zip"
        assert response.headers["Content-Length"] == str(len(response.content))
        assert response.headers["Content-Disposition"] == 'attachment; filename="broadsheet-export.zip"'
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        [item] = (await client.get(PATH, headers=headers)).json()["items"]
        assert (item["state"], item["size"]) == ("ready", len(response.content))

    async def test_not_found(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
        headers: Headers,
        export_id: str,
    ) -> None:
        """Somebody else's, unknown, or not ready."""
        other = await login(app, await create_profile(database))
        waiting = (await client.post(PATH, headers=other)).json()["id"]
        for who, which in ((other, export_id), (headers, uuid4()), (other, waiting)):
            response = await client.get(f"{PATH}/{which}/archive", headers=who)
            assert (response.status_code, response.json()["code"]) == (404, "export_not_found")

    async def test_expired(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, export_id: str
    ) -> None:
        """Nobody sees it from the moment on, and the next round sweeps it."""
        async with database.transaction() as session:
            assert await delete_old_exports(session) == 0
            kept = await session.scalar(select(Export.expires_at - func.now()))
            assert isinstance(kept, timedelta)
            assert timedelta(hours=47) < kept <= timedelta(hours=48)
            await session.execute(update(Export).values(expires_at=func.now() - timedelta(seconds=1)))
        assert (await client.get(f"{PATH}/{export_id}/archive", headers=headers)).status_code == 404
        assert await list_states(client, headers) == []
        async with database.transaction() as session:
            assert await delete_old_exports(session) == 1
            assert await session.scalar(select(func.count()).select_from(ExportChunk)) == 0

    async def test_gone_while_it_is_fetched(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, export_id: str
    ) -> None:
        """No half of an archive looks like a whole one."""
        async with database.transaction() as session:
            await session.execute(text("update export_chunk set number = 7 where number = 1"))
        with pytest.raises(Exception, match="response already started"):
            await client.get(f"{PATH}/{export_id}/archive", headers=headers)
