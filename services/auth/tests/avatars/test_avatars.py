"""Avatars: uploaded, made by the worker, shown. The worker is played by its own three reports."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text, update

from auth.avatars.models import Avatar
from auth.avatars.schemas import AvatarRead
from auth.avatars.service import delete_failed_avatars
from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.profiles.models import Profile
from chassis.config import load_config
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.jobs.service import bury_jobs
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

CreateProfile = Callable[..., Awaitable[Profile]]
Headers = dict[str, str]
Login = Callable[[FastAPI, Profile], Awaitable[Headers]]
PATH = "/profiles/me/avatar"
UPLOADED = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
SMALL, LARGE = b"RIFF....WEBP small", b"RIFF....WEBP large"


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: CreateProfile) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Login) -> Headers:
    return await login(app, profile)


@pytest.fixture
async def worker(app: FastAPI, act_as_service: Callable[..., Awaitable[Headers]]) -> Headers:
    return await act_as_service(app, "worker", "jobs:work")


async def upload(client: httpx.AsyncClient, headers: Headers, content: bytes = UPLOADED) -> str:
    response = await client.put(PATH, content=content, headers=headers)
    assert response.status_code == 202
    return str(response.json()["avatar_id"])


async def report(client: httpx.AsyncClient, worker: Headers, avatar_id: str, step: str, **facts: Any) -> httpx.Response:
    return await client.post(f"/internal/avatars/{avatar_id}/{step}", json=facts, headers=worker)


async def complete(client: httpx.AsyncClient, worker: Headers, avatar_id: str) -> httpx.Response:
    claimed = (await report(client, worker, avatar_id, "claim")).json()
    images = {"small": b64encode(SMALL).decode(), "large": b64encode(LARGE).decode()}
    return await report(client, worker, avatar_id, "result", fence=claimed["fence"], **images)


async def list_avatars(database: Database) -> list[Avatar]:
    async with database.transaction() as session:
        return list(await session.scalars(select(Avatar).order_by(Avatar.id)))


async def list_events(database: Database) -> list[OutboxEvent]:
    async with database.transaction() as session:
        return list(await session.scalars(select(OutboxEvent).order_by(OutboxEvent.id)))


class TestUpload:
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_anonymous(self, client: httpx.AsyncClient, method: str) -> None:
        response = await client.request(method, PATH, content=UPLOADED)
        assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, headers: Headers
    ) -> None:
        response = await client.put(PATH, content=UPLOADED, headers=headers | {"Content-Type": "text/html"})
        assert response.status_code == 202
        shown = AvatarRead.model_validate_json(response.content, extra="forbid")
        assert (shown.state, shown.error) == ("processing", None)
        read = await client.get(PATH, headers=headers)
        assert AvatarRead.model_validate_json(read.content, extra="forbid") == shown
        assert (await client.get("/profiles/me", headers=headers)).json()["avatar_url"] is None
        [avatar] = await list_avatars(database)
        assert (avatar.id, avatar.profile_id, avatar.state) == (shown.avatar_id, profile.id, "queued")
        assert await list_events(database) == []

    @pytest.mark.parametrize(
        "content", [b"", b"<svg/>", b"<html>", b"RIFF....AVI ", b"BM" + b"x" * 100, b" \x89PNG\r\n\x1a\n"]
    )
    async def test_other_content(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, content: bytes
    ) -> None:
        response = await client.put(PATH, content=content, headers=headers | {"Content-Type": "image/png"})
        assert (response.status_code, response.json()["code"]) == (422, "image_type_unsupported")
        assert await list_avatars(database) == []

    async def test_too_many_bytes(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers
    ) -> None:
        async def stream() -> Any:
            for _ in range(17):
                yield UPLOADED + b"x" * 65_536

        for content in (UPLOADED + b"x" * 1_048_576, stream()):
            response = await client.put(PATH, content=content, headers=headers)
            assert (response.status_code, response.json()["code"]) == (413, "content_too_large")
        assert await list_avatars(database) == []

    async def test_too_often(
        self, app: FastAPI, client: httpx.AsyncClient, headers: Headers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LIMITS_AVATAR", "2/hour")
        load_config.cache_clear()
        app.state.rate_limiter = RateLimiter(LimitsConfig(), b"of-the-limits", None, local_share=1)
        statuses = [(await client.put(PATH, content=UPLOADED, headers=headers)).status_code for _ in range(3)]
        assert statuses == [202, 202, 429]

    async def test_not_found(self, client: httpx.AsyncClient, headers: Headers) -> None:
        response = await client.get(PATH, headers=headers)
        assert (response.status_code, response.json()["code"]) == (404, "avatar_not_found")

    async def test_newer_one_takes_the_place_of_one_that_waits(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, worker: Headers
    ) -> None:
        first = await upload(client, headers)
        claimed = (await report(client, worker, first, "claim")).json()
        second = await upload(client, headers)
        late = await report(client, worker, first, "failure", fence=claimed["fence"], error="slow")
        assert (late.status_code, late.json()["code"]) == (404, "job_not_found")
        assert [str(avatar.id) for avatar in await list_avatars(database)] == [second]

    async def test_ten_at_once_leave_one(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        headers = await login(committed_app, await create_profile(committed_database))
        ids = await asyncio.gather(*(upload(committed_client, headers) for _ in range(10)))
        [left] = await list_avatars(committed_database)
        assert str(left.id) in ids


class TestJob:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        for step in ("claim", "result", "failure"):
            response = await report(client, {}, str(uuid4()), step, fence=1, error="e", small="", large="")
            assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    async def test_forbidden(
        self, client: httpx.AsyncClient, app: FastAPI, act_as_service: Callable[..., Awaitable[Headers]]
    ) -> None:
        headers = await act_as_service(app, "posts", "events:read")
        response = await report(client, headers, str(uuid4()), "claim")
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")

    async def test_not_found(self, client: httpx.AsyncClient, worker: Headers) -> None:
        for step, facts in (("claim", {}), ("failure", {"fence": 1, "error": "e"})):
            response = await report(client, worker, str(uuid4()), step, **facts)
            assert (response.status_code, response.json()["code"]) == (404, "job_not_found")

    async def test_due_and_claimed_once(self, client: httpx.AsyncClient, headers: Headers, worker: Headers) -> None:
        largest = UPLOADED.ljust(1_048_576, b"x")
        avatar_id = await upload(client, headers, largest)
        due = (await client.get("/internal/jobs/due", headers=worker)).json()
        assert due == {"items": [{"task": "auth.resize_avatar", "queue": "cpu", "job_id": avatar_id}]}
        claimed = (await report(client, worker, avatar_id, "claim")).json()
        assert b64decode(claimed["image"]) == largest
        again = await report(client, worker, avatar_id, "claim")
        assert (again.status_code, again.json()["code"]) == (409, "job_not_claimable")
        assert (await client.get("/internal/jobs/due", headers=worker)).json() == {"items": []}

    async def test_done(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        headers: Headers,
        worker: Headers,
    ) -> None:
        avatar_id = await upload(client, headers)
        assert (await complete(client, worker, avatar_id)).status_code == 204
        url = f"/api/v1/profiles/{profile.id}/avatars/{avatar_id}"
        for path in ("/profiles/me", f"/profiles/{profile.id}"):
            assert (await client.get(path, headers=headers)).json()["avatar_url"] == url
        assert (await client.get(PATH, headers=headers)).json()["state"] == "ready"
        [event] = await list_events(database)
        assert (event.type, event.payload["avatar_url"]) == ("user.updated", url)
        async with database.transaction() as session:
            assert await session.scalar(select(Avatar.source)) is None

    async def test_same_report_twice(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, worker: Headers
    ) -> None:
        avatar_id = await upload(client, headers)
        await complete(client, worker, avatar_id)
        images = {"small": b64encode(LARGE).decode(), "large": b64encode(SMALL).decode()}
        again = await report(client, worker, avatar_id, "result", fence=1, **images)
        stale = await report(client, worker, avatar_id, "result", fence=2, **images)
        assert (again.status_code, stale.status_code, stale.json()["code"]) == (204, 409, "stale_fence")
        assert len(await list_events(database)) == 1

    async def test_failed_for_good(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, worker: Headers
    ) -> None:
        """The one before stays."""
        shown = await upload(client, headers)
        await complete(client, worker, shown)
        avatar_id = await upload(client, headers)
        await report(client, worker, avatar_id, "claim")
        facts = {"fence": 1, "error": "no image", "code": "image_unreadable", "permanent": True}
        assert (await report(client, worker, avatar_id, "failure", **facts)).status_code == 204
        read = (await client.get(PATH, headers=headers)).json()
        assert read == {"avatar_id": avatar_id, "state": "failed", "error": "image_unreadable"}
        assert (await client.get("/profiles/me", headers=headers)).json()["avatar_url"].endswith(shown)
        async with database.transaction() as session:
            assert set(await session.scalars(select(Avatar.source))) == {None}

    async def test_failed_for_now(self, client: httpx.AsyncClient, headers: Headers, worker: Headers) -> None:
        avatar_id = await upload(client, headers)
        await report(client, worker, avatar_id, "claim")
        await report(client, worker, avatar_id, "failure", fence=1, error="killed")
        read = (await client.get(PATH, headers=headers)).json()
        assert (read["state"], read["error"]) == ("processing", None)

    async def test_workers_that_never_came_back(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers
    ) -> None:
        await upload(client, headers)
        past = func.now() - text("interval '8 days'")
        lost = {"state": "running", "attempts": Avatar.MAX_ATTEMPTS, "lease_ends_at": past, "next_at": past}
        async with database.transaction() as session:
            await session.execute(update(Avatar).values(**lost))
            assert len(await bury_jobs(session, Avatar)) == 1
        read = (await client.get(PATH, headers=headers)).json()
        assert (read["state"], read["error"]) == ("failed", "processing_failed")
        async with database.transaction() as session:
            assert await delete_failed_avatars(session) == 0
            await session.execute(update(Avatar).values(finished_at=past))
            assert await delete_failed_avatars(session) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"small": "no base64!"},
            {"large": b64encode(b"<html>").decode()},
            {"large": b64encode(LARGE * 19_500).decode()},
        ],
    )
    async def test_malformed(
        self, client: httpx.AsyncClient, headers: Headers, worker: Headers, change: dict[str, str]
    ) -> None:
        avatar_id = await upload(client, headers)
        await report(client, worker, avatar_id, "claim")
        facts = {"fence": 1, "small": b64encode(SMALL).decode(), "large": b64encode(LARGE).decode()} | change
        response = await report(client, worker, avatar_id, "result", **facts)
        [field] = change
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, f"body.{field}")


class TestGetAvatar:
    @pytest.fixture
    async def url(self, client: httpx.AsyncClient, profile: Profile, headers: Headers, worker: Headers) -> str:
        avatar_id = await upload(client, headers)
        await complete(client, worker, avatar_id)
        return f"/profiles/{profile.id}/avatars/{avatar_id}"

    async def test_valid(self, client: httpx.AsyncClient, database: RolledBackDatabase, url: str) -> None:
        known: Headers = {}
        for query, image in (("", LARGE), ("?size=512", LARGE), ("?size=96", SMALL)):
            with record_statements(database) as statements:
                response = await client.get(url + query)
            assert len(statements) == 1
            assert (response.status_code, response.content) == (200, image)
            assert response.headers["Content-Type"] == "image/webp"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "immutable" in response.headers["Cache-Control"]
            known = {"If-None-Match": response.headers["ETag"]}
            same = await client.get(url + query, headers=known)
            assert (same.status_code, same.content) == (304, b"")
        assert (await client.get(url, headers=known)).status_code == 200  # the other size

    @pytest.mark.parametrize("size", ["97", "0", "x", "1e2", ""])
    async def test_malformed(self, client: httpx.AsyncClient, url: str, size: str) -> None:
        response = await client.get(f"{url}?size={size}")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "query.size")

    async def test_not_found(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        headers: Headers,
        url: str,
    ) -> None:
        """Unknown, somebody else's, or not ready."""
        avatar_id, stranger = url.rpartition("/")[2], await create_profile(database)
        waiting = await upload(client, headers)
        paths = [f"/profiles/{uuid4()}/avatars/{avatar_id}", f"/profiles/{stranger.id}/avatars/{avatar_id}"]
        for path in (*paths, url.replace(avatar_id, str(uuid4())), url.replace(avatar_id, waiting)):
            response = await client.get(path)
            assert (response.status_code, response.json()["code"]) == (404, "avatar_not_found")

    async def test_not_found_while_hidden(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, url: str
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(Profile).where(Profile.id == profile.id).values(hidden_at=func.now()))
        assert (await client.get(url)).status_code == 404

    async def test_another_one_has_another_address(
        self, client: httpx.AsyncClient, profile: Profile, headers: Headers, worker: Headers, url: str
    ) -> None:
        avatar_id = await upload(client, headers)
        assert (await client.get(url)).status_code == 200
        await complete(client, worker, avatar_id)
        assert (await client.get(url)).status_code == 404
        assert (await client.get(f"/profiles/{profile.id}/avatars/{avatar_id}")).status_code == 200


class TestDelete:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        worker: Headers,
    ) -> None:
        avatar_id = await upload(client, headers)
        await complete(client, worker, avatar_id)
        await upload(client, headers)
        for _ in range(2):
            assert (await client.delete(PATH, headers=headers)).status_code == 204
        assert (await client.get("/profiles/me", headers=headers)).json()["avatar_url"] is None
        assert await list_avatars(database) == []
        assert [event.payload["avatar_url"] for event in await list_events(database)][1:] == [None]
        late = await client.get(f"/profiles/{UUID(int=0)}/avatars/{avatar_id}")
        assert late.status_code == 404
