"""The job behind an export: claim, pieces, result, each by its fence."""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text, update

from auth.avatars.models import Avatar
from auth.exports.models import Export, ExportChunk
from auth.exports.queries import PARTS
from auth.exports.service import delete_old_exports
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.jobs.service import bury_jobs
from chassis.testing.databases import RolledBackDatabase

CreateProfile = Callable[..., Awaitable[Profile]]
Headers = dict[str, str]
Login = Callable[..., Awaitable[Headers]]
Request = Callable[[httpx.AsyncClient, Headers], Awaitable[str]]
Play = Callable[..., Awaitable[httpx.Response]]
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("claim", {}),
    ("chunks", {"fence": 1, "number": 0, "content": b"PK"}),
    ("result", {"fence": 1, "chunks": 1, "size": 2}),
    ("failure", {"fence": 1, "error": "e"}),
]


async def list_events(database: Database) -> list[OutboxEvent]:
    async with database.transaction() as session:
        return list(await session.scalars(select(OutboxEvent).order_by(OutboxEvent.id)))


async def end_lease(database: Database, export_id: str) -> None:
    past = func.now() - text("interval '1 s'")
    async with database.transaction() as session:
        await session.execute(update(Export).filter_by(id=UUID(export_id)).values(lease_ends_at=past, next_at=past))


class TestJob:
    @pytest.fixture
    async def export_id(self, client: httpx.AsyncClient, headers: Headers, request_export: Request) -> str:
        return await request_export(client, headers)

    @pytest.mark.parametrize(("step", "facts"), STEPS)
    async def test_anonymous(self, client: httpx.AsyncClient, report: Play, step: str, facts: dict[str, Any]) -> None:
        assert (await report(client, {}, str(uuid4()), step, **facts)).status_code == 401

    @pytest.mark.parametrize(("step", "facts"), STEPS)
    async def test_forbidden(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        act_as_service: Callable[..., Awaitable[Headers]],
        report: Play,
        step: str,
        facts: dict[str, Any],
    ) -> None:
        headers = await act_as_service(app, "posts", "events:read")
        assert (await report(client, headers, str(uuid4()), step, **facts)).status_code == 403

    @pytest.mark.parametrize(("step", "facts"), STEPS)
    async def test_not_found(
        self, client: httpx.AsyncClient, worker: Headers, report: Play, step: str, facts: dict[str, Any]
    ) -> None:
        response = await report(client, worker, str(uuid4()), step, **facts)
        assert (response.status_code, response.json()["code"]) == (404, "job_not_found")

    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        worker: Headers,
        export_id: str,
        complete: Play,
        report: Play,
    ) -> None:
        """Told once, however often it is reported."""
        assert (await complete(client, worker, export_id, b"PK", b"end")).status_code == 204
        again = await report(client, worker, export_id, "result", fence=1, chunks=2, size=5)
        assert again.status_code == 204
        [event] = await list_events(database)
        assert (event.type, event.aggregate_id) == ("export.completed", profile.id)
        assert (event.payload["user_id"], event.payload["export_id"]) == (str(profile.id), export_id)

    async def test_claim_names_the_owner(
        self, client: httpx.AsyncClient, worker: Headers, profile: Profile, export_id: str, report: Play
    ) -> None:
        claim = (await report(client, worker, export_id, "claim")).json()
        assert (claim["user_id"], claim["export_id"], claim["fence"]) == (str(profile.id), export_id, 1)
        again = await report(client, worker, export_id, "claim")
        assert (again.status_code, again.json()["code"]) == (409, "job_not_claimable")

    @pytest.mark.parametrize("pieces", [{"size": 4}, {"size": 6}])
    async def test_incomplete(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        worker: Headers,
        export_id: str,
        complete: Play,
        pieces: dict[str, int],
    ) -> None:
        """The report undoes itself: neither is the export done, nor anybody told."""
        response = await complete(client, worker, export_id, b"PK", b"end", **pieces)
        assert (response.status_code, response.json()["code"]) == (409, "export_incomplete")
        assert await list_events(database) == []
        async with database.transaction() as session:
            assert await session.scalar(select(Export.state)) == "running"

    async def test_piece_missing(
        self, client: httpx.AsyncClient, worker: Headers, export_id: str, report: Play
    ) -> None:
        await report(client, worker, export_id, "claim")
        for number in (0, 2):
            await report(client, worker, export_id, "chunks", fence=1, number=number, content=b"12")
        response = await report(client, worker, export_id, "result", fence=1, chunks=2, size=4)
        assert (response.status_code, response.json()["code"]) == (409, "export_incomplete")

    async def test_stale_fence(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        worker: Headers,
        export_id: str,
        report: Play,
    ) -> None:
        """A worker that was thought dead adds nothing to the archive of the next."""
        await report(client, worker, export_id, "claim")
        await report(client, worker, export_id, "chunks", fence=1, number=0, content=b"old")
        await report(client, worker, export_id, "chunks", fence=1, number=1, content=b"old")
        await end_lease(database, export_id)
        assert (await report(client, worker, export_id, "claim")).json()["fence"] == 2
        late = await report(client, worker, export_id, "chunks", fence=1, number=1, content=b"late")
        assert (late.status_code, late.json()["code"]) == (409, "stale_fence")
        await report(client, worker, export_id, "chunks", fence=2, number=0, content=b"new")
        done = await report(client, worker, export_id, "result", fence=2, chunks=1, size=3)
        assert done.status_code == 204

    async def test_failed_for_good_is_seen_for_a_week(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        worker: Headers,
        export_id: str,
        report: Play,
    ) -> None:
        await report(client, worker, export_id, "claim")
        await report(client, worker, export_id, "failure", fence=1, error="too large", permanent=True)
        [item] = (await client.get("/auth/exports", headers=headers)).json()["items"]
        assert item["state"] == "failed"
        async with database.transaction() as session:
            assert await delete_old_exports(session) == 0
            await session.execute(update(Export).values(finished_at=func.now() - text("interval '8 days'")))
            assert await delete_old_exports(session) == 1

    async def test_workers_that_never_came_back(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, export_id: str
    ) -> None:
        """The last of them leaves room for another export."""
        past = func.now() - text("interval '1 s'")
        lost = {"state": "running", "attempts": Export.MAX_ATTEMPTS, "lease_ends_at": past, "next_at": past}
        async with database.transaction() as session:
            await session.execute(update(Export).filter_by(id=UUID(export_id)).values(**lost))
            assert len(await bury_jobs(session, Export)) == 1
        assert (await client.post("/auth/exports", headers=headers)).status_code == 202

    @pytest.mark.parametrize(
        ("step", "change"),
        [
            ("chunks", {"number": 96}),
            ("chunks", {"number": -1}),
            ("chunks", {"content": b"1" * 524_290}),
            ("result", {"chunks": 0}),
            ("result", {"size": 96 * 524_288 + 1}),
        ],
    )
    async def test_malformed(
        self,
        client: httpx.AsyncClient,
        worker: Headers,
        export_id: str,
        report: Play,
        step: str,
        change: dict[str, Any],
    ) -> None:
        [field] = change
        response = await report(client, worker, export_id, step, **(dict(STEPS)[step] | change))
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, f"body.{field}")


class TestDeletedMeanwhile:
    @pytest.mark.parametrize(("step", "facts"), STEPS[1:])
    async def test_nothing_comes_of_it(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        worker: Headers,
        request_export: Request,
        report: Play,
        step: str,
        facts: dict[str, Any],
    ) -> None:
        export_id = await request_export(client, headers)
        await report(client, worker, export_id, "claim")
        await report(client, worker, export_id, "chunks", fence=1, number=0, content=b"PK")
        assert (await client.delete("/profiles/me", headers=headers)).status_code == 204
        response = await report(client, worker, export_id, step, **facts)
        assert (response.status_code, response.json()["code"]) == (404, "job_not_found")
        assert [event.type for event in await list_events(database)] == ["security.noticed", "user.deleted"]
        async with database.transaction() as session:
            assert await session.scalar(select(func.count()).select_from(ExportChunk)) == 0

    async def test_race(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
        act_as_service: Callable[..., Awaitable[Headers]],
        request_export: Request,
        report: Play,
    ) -> None:
        """Whichever is first: nobody hears of an archive after they heard that all is gone."""
        worker = await act_as_service(committed_app, "worker", "jobs:work")
        headers = await login(committed_app, await create_profile(committed_database))
        export_id = await request_export(committed_client, headers)
        await report(committed_client, worker, export_id, "claim")
        await report(committed_client, worker, export_id, "chunks", fence=1, number=0, content=b"PK")
        pieces = [
            report(committed_client, worker, export_id, "chunks", fence=1, number=0, content=b"PK") for _ in range(3)
        ]
        result = report(committed_client, worker, export_id, "result", fence=1, chunks=1, size=2)
        deleting = committed_client.delete("/profiles/me", headers=headers)
        deleted, *answers = await asyncio.gather(deleting, *pieces, result)
        assert deleted.status_code == 204
        assert {answer.status_code for answer in answers} <= {204, 404, 409}
        types = [event.type for event in await list_events(committed_database)]
        assert types in (
            ["security.noticed", "user.deleted"],
            ["export.completed", "security.noticed", "user.deleted"],
        )


class TestParts:
    async def read(self, client: httpx.AsyncClient, worker: Headers, profile: Profile, part: str) -> list[Any]:
        response = await client.get(f"/internal/users/{profile.id}/data", params={"part": part}, headers=worker)
        assert response.status_code == 200, response.text
        items: list[Any] = response.json()["items"]
        return items

    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        headers: Headers,
        worker: Headers,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        """Of the person alone, whatever others have."""
        await login(app, await create_profile(database))
        former = profile.username
        changes = {"username": "renamed_1", "bio": "Quiet.", "language": "nl"}
        await client.patch("/profiles/me", json=changes, headers=headers)
        avatar = Avatar(profile_id=profile.id, state="done", small=b"s", large=b"RIFF" * 40)
        async with database.transaction() as session:
            session.add(avatar)
            await session.flush()
            await session.execute(update(Profile).filter_by(id=profile.id).values(avatar_id=avatar.id))
        [own] = await self.read(client, worker, profile, "profile")
        assert own.items() >= (changes | {"email": f"{former}@people.example"}).items()
        assert own["former_usernames"] == [former]
        assert "password_hash" not in own
        [picture] = await self.read(client, worker, profile, "avatar")
        assert (picture["file_name"], b64decode(picture["content"])) == ("avatar.webp", b"RIFF" * 40)
        [session_read] = await self.read(client, worker, profile, "sessions")
        assert (session_read["user_agent"], session_read["address"]) == ("Test/1.0", "203.0.113.0/24")
        [entry] = await self.read(client, worker, profile, "security-log")
        assert entry["action"] == "username_changed"
        assert await self.read(client, worker, profile, "devices") == []

    async def test_of_nobody(self, client: httpx.AsyncClient, worker: Headers) -> None:
        for part in PARTS:
            stranger = Profile(id=uuid4())
            assert await self.read(client, worker, stranger, part.name) == []
