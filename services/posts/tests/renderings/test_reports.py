"""The jobs of the worker: claim, result, failure, and what readers see of it."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, text, update

from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.tokens import TokenSigner
from posts.creators.models import Creator
from posts.posts.constants import HTML_MAX_BYTES
from posts.posts.models import PostRendering

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


class TestClaimRendering:
    async def test_valid(self, client: httpx.AsyncClient, rendering: PostRendering, worker: Headers) -> None:
        response = await client.post(f"/internal/renderings/{rendering.id}/claim", headers=worker)

        assert response.status_code == 200
        lease_ends_at = response.json().pop("lease_ends_at")
        assert lease_ends_at.endswith("Z")
        assert response.json() == {
            "rendering_id": str(rendering.id),
            "fence": 1,
            "lease_ends_at": lease_ends_at,
            "post_id": str(rendering.post_id),
            "version": 1,
            "markdown": "# Quiet",
        }

    async def test_conflict(self, client: httpx.AsyncClient, rendering: PostRendering, worker: Headers) -> None:
        await client.post(f"/internal/renderings/{rendering.id}/claim", headers=worker)
        second = await client.post(f"/internal/renderings/{rendering.id}/claim", headers=worker)

        assert (second.status_code, second.json()["code"]) == (409, "job_not_claimable")

    async def test_not_found(self, client: httpx.AsyncClient, worker: Headers) -> None:
        for step, facts in (
            ("claim", {}),
            ("result", {"fence": 1, **RESULT}),
            ("failure", {"fence": 1, "error": "none"}),
        ):
            response = await client.post(f"/internal/renderings/{uuid4()}/{step}", json=facts, headers=worker)

            assert (response.status_code, response.json()["code"]) == (404, "job_not_found")

    async def test_of_an_older_version(
        self,
        client: httpx.AsyncClient,
        post_id: str,
        owner: Headers,
        rendering: PostRendering,
        worker: Headers,
    ) -> None:
        await client.put(f"/posts/{post_id}", json={"title": "Quiet", "body": "# Loud"}, headers=owner)
        response = await client.post(f"/internal/renderings/{rendering.id}/claim", headers=worker)

        assert (response.status_code, response.json()["code"]) == (409, "job_not_claimable")

    async def test_anonymous(self, client: httpx.AsyncClient, rendering: PostRendering) -> None:
        assert (await client.post(f"/internal/renderings/{rendering.id}/claim")).status_code == 401

    async def test_forbidden(
        self, client: httpx.AsyncClient, rendering: PostRendering, owner: Headers, signer: TokenSigner
    ) -> None:
        other_scope = {"Authorization": f"Bearer {signer.issue_service_token('notifications', ['events:read'])}"}
        url = f"/internal/renderings/{rendering.id}/claim"

        assert (await client.post(url, headers=owner)).status_code == 401
        assert (await client.post(url, headers=other_scope)).status_code == 403


class TestCompleteRendering:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post_id: str,
        owner: Headers,
        rendering: PostRendering,
        worker: Headers,
    ) -> None:
        """The report publishes what waits for it, and tells of it, once."""
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        await report(client, worker, rendering, "claim")
        for _ in range(2):
            response = await report(client, worker, rendering, "result", fence=1, **RESULT)

            assert (response.status_code, response.content) == (204, b"")
        read = await client.get(f"/posts/{post_id}")
        assert {name: read.json()[name] for name in RESULT} == RESULT
        assert read.json()["published_at"]
        async with database.transaction() as session:
            events = (await session.scalars(select(OutboxEvent))).all()
        assert [(event.type, event.payload["excerpt"]) for event in events] == [("post.published", "Quiet")]

    async def test_of_who_was_banned_meanwhile(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post_id: str,
        owner: Headers,
        rendering: PostRendering,
        worker: Headers,
    ) -> None:
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        await report(client, worker, rendering, "claim")
        async with database.transaction() as session:
            await session.execute(update(Creator).values(hidden_at=func.now()))
        await report(client, worker, rendering, "result", fence=1, **RESULT)
        read = (await client.get(f"/posts/{post_id}", headers=owner)).json()
        assert (read["status"], read["html"]) == ("draft", RESULT["html"])
        async with database.transaction() as session:
            assert (await session.scalars(select(OutboxEvent))).all() == []

    async def test_of_a_draft(
        self, client: httpx.AsyncClient, post_id: str, owner: Headers, rendering: PostRendering, worker: Headers
    ) -> None:
        await report(client, worker, rendering, "claim")
        await report(client, worker, rendering, "result", fence=1, **RESULT)
        before = await client.get(f"/posts/{post_id}", headers=owner)
        published = await client.put(f"/posts/{post_id}/publication", headers=owner)

        assert (before.json()["status"], before.json()["html"]) == ("draft", RESULT["html"])
        assert published.status_code == 200

    async def test_of_an_older_version(
        self, client: httpx.AsyncClient, post_id: str, owner: Headers, rendering: PostRendering, worker: Headers
    ) -> None:
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        await report(client, worker, rendering, "claim")
        await client.put(f"/posts/{post_id}", json={"title": "Quiet", "body": "# Loud"}, headers=owner)

        response = await report(client, worker, rendering, "result", fence=1, **RESULT)

        assert response.status_code == 204
        read = (await client.get(f"/posts/{post_id}", headers=owner)).json()
        assert (read["status"], read["html"], read["version"]) == ("publishing", None, 2)

    async def test_readers_keep_the_former_html(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post_id: str,
        owner: Headers,
        rendering: PostRendering,
        worker: Headers,
    ) -> None:
        await report(client, worker, rendering, "claim")
        await report(client, worker, rendering, "result", fence=1, **RESULT)
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        await client.put(f"/posts/{post_id}", json={"title": "Quiet", "body": "# Loud"}, headers=owner)
        former = await client.get(f"/posts/{post_id}")
        newest = await get_newest(database, post_id)
        await report(client, worker, newest, "claim")
        await report(client, worker, newest, "result", fence=1, html="<h1>Loud</h1>", excerpt="Loud")
        now = await client.get(f"/posts/{post_id}", headers={"If-None-Match": former.headers["etag"]})

        assert former.json()["html"] == RESULT["html"]
        assert (now.status_code, now.json()["html"]) == (200, "<h1>Loud</h1>")
        assert (await client.get("/posts")).json()["items"][0]["excerpt"] == "Loud"

    async def test_conflict(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, rendering: PostRendering, worker: Headers
    ) -> None:
        """A worker that was given up comes too late."""
        await report(client, worker, rendering, "claim")
        await set_rendering(database, rendering, lease_ends_at=func.now() - text("interval '1 second'"))
        second = await report(client, worker, rendering, "claim")
        late = await report(client, worker, rendering, "result", fence=1, **RESULT)

        assert (second.status_code, second.json()["fence"]) == (200, 2)
        assert (late.status_code, late.json()["code"]) == (409, "stale_fence")

    async def test_of_a_deleted_post(
        self, client: httpx.AsyncClient, post_id: str, owner: Headers, rendering: PostRendering, worker: Headers
    ) -> None:
        await report(client, worker, rendering, "claim")
        await client.delete(f"/posts/{post_id}", headers=owner)

        assert (await report(client, worker, rendering, "result", fence=1, **RESULT)).status_code == 404

    async def test_too_large(
        self, client: httpx.AsyncClient, post_id: str, owner: Headers, rendering: PostRendering, worker: Headers
    ) -> None:
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        await report(client, worker, rendering, "claim")
        huge = "x" * (HTML_MAX_BYTES + 1)
        for _ in range(2):
            response = await report(client, worker, rendering, "result", fence=1, html=huge, excerpt="x")

            assert response.status_code == 204
        read = (await client.get(f"/posts/{post_id}", headers=owner)).json()
        assert (read["status"], read["publication_error"]) == ("draft", "html_too_large")

    @pytest.mark.parametrize("change", [{"fence": 0}, {"excerpt": "x" * 301}, {"html": None}, {"done": True}])
    async def test_malformed(
        self, client: httpx.AsyncClient, rendering: PostRendering, worker: Headers, change: dict[str, object]
    ) -> None:
        response = await report(client, worker, rendering, "result", **({"fence": 1, **RESULT} | change))

        assert response.status_code == 422

    async def test_anonymous(self, client: httpx.AsyncClient, rendering: PostRendering) -> None:
        assert (await report(client, {}, rendering, "result", fence=1, **RESULT)).status_code == 401


class TestFailRendering:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post_id: str,
        owner: Headers,
        rendering: PostRendering,
        worker: Headers,
    ) -> None:
        """It is tried again, later: nothing is given up yet."""
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        await report(client, worker, rendering, "claim")
        response = await report(client, worker, rendering, "failure", fence=1, error="out of memory")

        read = (await client.get(f"/posts/{post_id}", headers=owner)).json()
        assert (response.status_code, read["status"], read["publication_error"]) == (204, "publishing", None)
        assert (await get_newest(database, post_id)).state == "queued"

    @pytest.mark.parametrize(
        ("facts", "shown"), [({}, "rendering_failed"), ({"code": "html_too_large"}, "html_too_large")]
    )
    async def test_for_good(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post_id: str,
        owner: Headers,
        rendering: PostRendering,
        worker: Headers,
        facts: dict[str, str],
        shown: str,
    ) -> None:
        """The post is a draft again and says why, to its creator; publishing it once more tries anew."""
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        await report(client, worker, rendering, "claim")
        await report(client, worker, rendering, "failure", fence=1, error="no", permanent=True, **facts)
        failed = (await client.get(f"/posts/{post_id}", headers=owner)).json()
        anew = (await client.put(f"/posts/{post_id}/publication", headers=owner)).json()
        claim = await report(client, worker, rendering, "claim")

        assert (failed["status"], failed["publication_error"]) == ("draft", shown)
        assert (anew["status"], anew["publication_error"]) == ("publishing", None)
        assert (claim.status_code, claim.json()["fence"]) == (200, 2)
        assert (await get_newest(database, post_id)).attempts == 1

    async def test_malformed(self, client: httpx.AsyncClient, rendering: PostRendering, worker: Headers) -> None:
        await report(client, worker, rendering, "claim")
        response = await report(client, worker, rendering, "failure", fence=1, error="no", code="boom")

        assert response.status_code == 422

    async def test_published_stays(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        post_id: str,
        owner: Headers,
        rendering: PostRendering,
        worker: Headers,
    ) -> None:
        await report(client, worker, rendering, "claim")
        await report(client, worker, rendering, "result", fence=1, **RESULT)
        await client.put(f"/posts/{post_id}/publication", headers=owner)
        await client.put(f"/posts/{post_id}", json={"title": "Quiet", "body": "# Loud"}, headers=owner)
        newest = await get_newest(database, post_id)
        await report(client, worker, newest, "claim")
        await report(client, worker, newest, "failure", fence=1, error="no", permanent=True)

        as_reader = (await client.get(f"/posts/{post_id}")).json()
        as_owner = (await client.get(f"/posts/{post_id}", headers=owner)).json()
        assert (as_reader["html"], as_reader["publication_error"]) == (RESULT["html"], None)
        assert (as_owner["status"], as_owner["publication_error"]) == ("published", "rendering_failed")

    async def test_conflict(self, client: httpx.AsyncClient, rendering: PostRendering, worker: Headers) -> None:
        await report(client, worker, rendering, "claim")
        response = await report(client, worker, rendering, "failure", fence=2, error="no")

        assert (response.status_code, response.json()["code"]) == (409, "stale_fence")

    async def test_anonymous(self, client: httpx.AsyncClient, rendering: PostRendering) -> None:
        assert (await report(client, {}, rendering, "failure", fence=1, error="no")).status_code == 401
