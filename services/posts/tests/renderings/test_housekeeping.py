"""What is due, what was given up, what is old."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, insert, select, text, update

from chassis.jobs.service import bury_jobs
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from posts.posts.models import PostRendering
from posts.renderings import service
from posts.renderings.service import delete_old_renderings, fail_dead_publications

Headers = dict[str, str]
RESULT = {"html": "<h1>Quiet</h1>", "excerpt": "Quiet"}


async def get_newest(database: RolledBackDatabase, post_id: str) -> PostRendering:
    statement = select(PostRendering).filter_by(post_id=UUID(post_id)).order_by(PostRendering.version.desc())
    async with database.transaction() as session:
        return (await session.scalars(statement)).first() or pytest.fail("there is no rendering")


async def set_rendering(database: RolledBackDatabase, rendering: PostRendering, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(update(PostRendering).where(PostRendering.id == rendering.id).values(**values))


async def report(
    client: httpx.AsyncClient, worker: Headers, rendering: PostRendering, step: str, **facts: object
) -> httpx.Response:
    return await client.post(f"/internal/renderings/{rendering.id}/{step}", json=facts, headers=worker)


class TestFailDeadPublications:
    async def test_workers_that_never_came_back(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post_id: str,
        owner: Headers,
        rendering: PostRendering,
    ) -> None:
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        past = func.now() - text("interval '1 second'")
        await set_rendering(
            database, rendering, state="running", attempts=PostRendering.MAX_ATTEMPTS, lease_ends_at=past, next_at=past
        )
        async with database.transaction() as session:
            assert len(await bury_jobs(session, PostRendering)) == 1
        for _ in range(2):
            await fail_dead_publications(database)

        read = (await client.get(f"/posts/{post_id}", headers=owner)).json()
        assert (read["status"], read["publication_error"]) == ("draft", "rendering_failed")

    async def test_others_stay(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, post_id: str, owner: Headers
    ) -> None:
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        await fail_dead_publications(database)

        assert (await client.get(f"/posts/{post_id}", headers=owner)).json()["status"] == "publishing"


class TestDeleteOldRenderings:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post_id: str,
        owner: Headers,
        rendering: PostRendering,
        worker: Headers,
    ) -> None:
        """One that was given up long ago is queued anew all the same."""
        old = func.now() - text("interval '8 days'")
        await set_rendering(database, rendering, state="dead", finished_at=old)
        await delete_old_renderings(database)
        async with database.transaction() as session:
            assert await session.get(PostRendering, rendering.id) is None

        await client.put(f"/posts/{post_id}/publication", headers=owner)
        assert (await report(client, worker, await get_newest(database, post_id), "claim")).status_code == 200

    async def test_open_and_recent_stay(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, rendering: PostRendering, worker: Headers
    ) -> None:
        await delete_old_renderings(database)
        await report(client, worker, rendering, "claim")
        await report(client, worker, rendering, "result", fence=1, **RESULT)
        await delete_old_renderings(database)

        async with database.transaction() as session:
            assert await session.get(PostRendering, rendering.id) is not None

    async def test_goes_on_until_nothing_is_left(
        self, database: RolledBackDatabase, post_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "PRUNE_RENDERINGS", 2)
        old = func.now() - text("interval '8 days'")
        rows = [{"post_id": UUID(post_id), "version": version, "state": "done"} for version in range(2, 7)]
        async with database.transaction() as session:
            await session.execute(insert(PostRendering).values(finished_at=old), rows)
        with record_statements(database) as statements:
            await delete_old_renderings(database)

        assert len(statements) == 4  # two, two, one, none
        async with database.transaction() as session:
            assert (await session.scalars(select(PostRendering.version))).all() == [1]


class TestListDueJobs:
    async def test_valid(self, client: httpx.AsyncClient, rendering: PostRendering, worker: Headers) -> None:
        due = await client.get("/internal/jobs/due", headers=worker)
        await report(client, worker, rendering, "claim")
        claimed = await client.get("/internal/jobs/due", headers=worker)

        (item,) = due.json()["items"]
        assert (item["task"], item["job_id"]) == ("posts.render_post", str(rendering.id))
        assert claimed.json()["items"] == []

    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/internal/jobs/due")).status_code == 401
