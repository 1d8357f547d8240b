from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from chassis.contracts.accounts import UserRegistered
from chassis.contracts.posts import PostPublished
from chassis.database.engine import Database
from chassis.http.client import ServiceClient
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from chassis.testing.upstreams import INSTANT, ScriptedUpstream
from notifications.confirmations.client import ConfirmationsClient
from notifications.deliveries.models import DeliveryEmail
from notifications.deliveries.schemas import EmailContent

Headers = dict[str, str]
AddEmail = Callable[..., Awaitable[DeliveryEmail]]
LINK = "https://broadsheet.example/api/v1/auth/confirmation?token=kY3Jt0uWcVqQm2bX8nFhRzL5sPdGa7Te_-1xOvCwE9A"


@pytest.fixture
async def email(add_email: AddEmail) -> DeliveryEmail:
    """A confirmation, claimed under fence 1."""
    return await add_email(state="running", fence=1)


async def get_content(
    client: httpx.AsyncClient, worker: Headers, email: DeliveryEmail, *, fence: int = 1
) -> httpx.Response:
    return await client.get(f"/internal/emails/{email.id}/content?fence={fence}", headers=worker)


class TestGetEmailContent:
    async def test_anonymous(self, client: httpx.AsyncClient, email: DeliveryEmail) -> None:
        assert (await get_content(client, {}, email)).status_code == 401

    async def test_not_found(self, client: httpx.AsyncClient, worker: Headers) -> None:
        response = await client.get(f"/internal/emails/{uuid4()}/content?fence=1", headers=worker)
        assert (response.status_code, response.json()["code"]) == (404, "job_not_found")

    async def test_stale_fence(
        self, client: httpx.AsyncClient, worker: Headers, email: DeliveryEmail, auth: ScriptedUpstream
    ) -> None:
        response = await get_content(client, worker, email, fence=2)
        assert (response.status_code, response.json()["code"]) == (409, "stale_fence")
        assert auth.requests == []

    async def test_not_claimed(self, client: httpx.AsyncClient, worker: Headers, add_email: AddEmail) -> None:
        response = await get_content(client, worker, await add_email(fence=1))
        assert response.json()["code"] == "stale_fence"

    async def test_confirmation(
        self,
        client: httpx.AsyncClient,
        worker: Headers,
        email: DeliveryEmail,
        auth: ScriptedUpstream,
        database: RolledBackDatabase,
    ) -> None:
        with record_statements(database) as statements:
            response = await get_content(client, worker, email)
        content = EmailContent.model_validate_json(response.content)
        assert content.subject == "Confirm your e-mail address"
        assert LINK in content.text
        assert f'href="{LINK}"' in content.html
        assert "24 November 2026, 08:05 UTC" in content.text
        assert auth.requests[0].path == f"/internal/confirmations/{email.params['confirmation_id']}"
        assert len(statements) == 1

    async def test_same_bytes_at_every_try(
        self, client: httpx.AsyncClient, worker: Headers, email: DeliveryEmail
    ) -> None:
        first, second = [(await get_content(client, worker, email)).content for _ in range(2)]
        assert first == second

    async def test_post_published(
        self,
        client: httpx.AsyncClient,
        worker: Headers,
        database: RolledBackDatabase,
        apply: Callable[..., Awaitable[None]],
        add_reader: Callable[..., Awaitable[UserRegistered]],
        get_emails: Callable[..., Awaitable[list[DeliveryEmail]]],
    ) -> None:
        creator = await add_reader(first_name="Ada", last_name="Reyes")
        await add_reader(follows=creator.user_id)
        post = PostPublished(post_id=uuid4(), creator_id=creator.user_id, title="On rivers", excerpt="They run.")
        await apply(post)
        [email] = await get_emails(database, DeliveryEmail.kind == "post_published")
        await client.post(f"/internal/emails/{email.id}/claim", headers=worker)
        content = EmailContent.model_validate_json((await get_content(client, worker, email)).content)
        assert content.subject == "Ada Reyes: On rivers"
        link = f"https://broadsheet.example/api/v1/posts/{post.post_id}"
        assert all(part in content.text for part in ("On rivers", "They run.", link, "unfollow Ada Reyes"))
        assert all(part in content.html for part in ("On rivers", "They run.", link, "unfollow Ada Reyes"))

    async def test_auth_is_away(
        self, client: httpx.AsyncClient, worker: Headers, email: DeliveryEmail, auth: ScriptedUpstream
    ) -> None:
        auth.clear().fail()
        response = await get_content(client, worker, email)
        assert (response.status_code, response.json()["code"]) == (503, "service_unavailable")
        assert int(response.headers["Retry-After"]) >= 1

    async def test_confirmation_gone(
        self, client: httpx.AsyncClient, worker: Headers, email: DeliveryEmail, auth: ScriptedUpstream
    ) -> None:
        auth.clear().answer(404, {"code": "confirmation_not_found"})
        response = await get_content(client, worker, email)
        assert (response.status_code, response.json()["code"]) == (409, "confirmation_gone")

    async def test_no_connection_is_held_while_auth_is_asked(
        self,
        build_app: Callable[[Database], FastAPI],
        create_client: Callable[[FastAPI], httpx.AsyncClient],
        committed_database: Database,
        add_email: AddEmail,
        worker: Headers,
    ) -> None:
        email = await add_email(to=committed_database, state="running", fence=1)
        held: list[int] = []

        def answer(_: httpx.Request) -> httpx.Response:
            pool = committed_database._pool
            assert pool is not None
            held.append(pool.get_size() - pool.get_idle_size() + committed_database.engine.pool.checkedout())  # type: ignore[attr-defined]
            return httpx.Response(200, json={"token": "t" * 43, "expires_at": "2026-11-24T08:05:00Z"})

        slow_auth = ScriptedUpstream().answer_by(answer)
        app = build_app(committed_database)
        async with ServiceClient("auth", "http://auth", policy=INSTANT, backend=slow_auth.backend) as auth_client:
            app.state.confirmations = ConfirmationsClient(auth_client)
            response = await get_content(create_client(app), worker, email)
        assert (response.status_code, held) == (200, [0])
