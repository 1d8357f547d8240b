"""`/admin/clients`: apps of others, registered by our staff."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.accounts.constants import ROLE_SCOPES, Role
from auth.apps.models import App
from auth.apps.schemas import AppRead
from auth.audit.models import AuditEntry
from auth.clients.service import compute_secret_digest
from auth.codes.models import AppCode
from auth.consents.models import Consent
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession, SessionRevocation
from chassis.database.engine import Database
from chassis.pagination import Page
from chassis.testing.databases import RolledBackDatabase

PATH = "/admin/clients"
NOBODY = "01890000-0000-7000-8000-000000000000"
BODY = {
    "name": "Reader",
    "website": "https://reader.example",
    "redirect_uris": ["https://reader.example/callback"],
    "scopes": ["posts:read", "profile:read"],
    "is_confidential": True,
}
UPDATE = {name: value for name, value in BODY.items() if name != "is_confidential"}
CALLS = [
    ("GET", PATH, None),
    ("POST", PATH, BODY),
    ("GET", f"{PATH}/{NOBODY}", None),
    ("PUT", f"{PATH}/{NOBODY}", UPDATE),
    ("DELETE", f"{PATH}/{NOBODY}", None),
    ("POST", f"{PATH}/{NOBODY}/secret", None),
]
Headers = dict[str, str]


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def staff(app: FastAPI, profile: Profile, login: Callable[..., Awaitable[Headers]]) -> Headers:
    return await login(app, profile, scope=" ".join(ROLE_SCOPES[Role.ADMIN]))


@pytest.fixture
async def other(database: RolledBackDatabase, register_app: Callable[..., Awaitable[Any]]) -> Any:
    return await register_app(database)


async def list_actions(database: Database) -> list[str]:
    async with database.transaction() as session:
        query = select(AuditEntry.action).filter(AuditEntry.action.like("client%")).order_by(AuditEntry.id)
        return list(await session.scalars(query))


async def count(database: Database, model: Any) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(model))).one()


class TestWhoMay:
    @pytest.mark.parametrize(("method", "path", "body"), CALLS)
    async def test_anonymous(self, client: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
        assert (await client.request(method, path, json=body)).status_code == 401

    @pytest.mark.parametrize("role", [None, Role.SUPPORT, Role.MODERATOR])
    @pytest.mark.parametrize(("method", "path", "body"), CALLS)
    async def test_forbidden(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        profile: Profile,
        login: Any,
        role: Role | None,
        method: str,
        path: str,
        body: Any,
    ) -> None:
        headers = await login(app, profile, scope=" ".join(ROLE_SCOPES.get(role or "", ())))
        answer = await client.request(method, path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    @pytest.mark.parametrize(("method", "path", "body"), CALLS[2:])
    async def test_not_found(
        self, client: httpx.AsyncClient, staff: Headers, method: str, path: str, body: Any
    ) -> None:
        answer = await client.request(method, path, json=body, headers=staff)
        assert (answer.status_code, answer.json()["code"]) == (404, "client_not_found")

    async def test_login_is_too_old(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Any, database: RolledBackDatabase
    ) -> None:
        moment = await self.an_hour_ago(database)
        headers = await login(app, profile, scope=" ".join(ROLE_SCOPES[Role.ADMIN]), authenticated_at=moment)
        answer = await client.post(PATH, json=BODY, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "login_too_old")

    async def an_hour_ago(self, database: RolledBackDatabase) -> Any:
        async with database.transaction() as session:
            return await session.scalar(select(func.now() - func.make_interval(0, 0, 0, 0, 1)))


class TestCreate:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, staff: Headers
    ) -> None:
        """The secret is shown once, and kept as a digest."""
        answer = await client.post(PATH, json=BODY, headers=staff)
        assert answer.status_code == 201
        created = answer.json()
        assert len(created["client_secret"]) == 43
        shown = await client.get(f"{PATH}/{created['client_id']}", headers=staff)
        assert str(AppRead.model_validate_json(shown.content).client_id) == created["client_id"]
        assert shown.json().items() >= BODY.items()
        assert created["client_secret"] not in shown.text
        async with database.transaction() as session:
            [app] = await session.scalars(select(App))
            [entry] = await session.scalars(select(AuditEntry).filter_by(action="client_created"))
        assert app.secret_digest == compute_secret_digest(created["client_secret"])
        assert (entry.actor_id, entry.details["client_id"]) == (profile.id, created["client_id"])

    async def test_valid_public(self, client: httpx.AsyncClient, staff: Headers) -> None:
        answer = await client.post(PATH, json=BODY | {"is_confidential": False}, headers=staff)
        assert answer.json()["client_secret"] is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": ""},
            {"name": "x" * 101},
            {"website": "javascript:alert(1)"},
            {"redirect_uris": []},
            {"redirect_uris": ["http://reader.example/"]},
            {"redirect_uris": ["https://reader.example/#part"]},
            {"redirect_uris": ["https://reader.example/"] * 11},
            {"scopes": []},
            {"scopes": ["users:ban"]},
            {"scopes": ["events:read"]},
            {"is_confidential": None},
            {"secret": "mine"},
        ],
    )
    async def test_malformed(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, staff: Headers, changes: dict[str, Any]
    ) -> None:
        """Nothing that staff may, and nothing that a service may, can be delegated."""
        answer = await client.post(PATH, json=BODY | changes, headers=staff)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert await count(database, App) == 0


class TestList:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, staff: Headers, register_app: Any
    ) -> None:
        names = ["One", "Two", "Three"]
        for name in names:
            await register_app(database, name=name)
        answer = await client.get(PATH, params={"limit": 2}, headers=staff)
        page = Page[AppRead].model_validate_json(answer.content)
        rest = await client.get(PATH, params={"cursor": page.next_cursor or ""}, headers=staff)
        shown = [*page.items, *Page[AppRead].model_validate_json(rest.content).items]
        assert sorted(item.name for item in shown) == sorted(names)


class TestUpdate:
    @pytest.fixture
    async def allowed(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, other: Any, log_in_browser: Any, allow: Any
    ) -> Any:
        """Tokens that somebody let the app have, and a code that it has not redeemed."""
        browser = await log_in_browser(app, profile)
        code = await allow(client, other, browser)
        tokens = (await client.post("/auth/token", data=other.redeem(code))).json()
        await allow(client, other, browser)
        return tokens

    async def refresh(self, client: httpx.AsyncClient, other: Any, tokens: Any) -> int:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **other.credentials}
        return (await client.post("/auth/token", data=form)).status_code

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, staff: Headers, other: Any, allowed: Any
    ) -> None:
        """With as much as before, or more, all goes on."""
        path = f"{PATH}/{other.client_id}"
        etag = (await client.get(path, headers=staff)).headers["etag"]
        changed = UPDATE | {"name": "Reader 2", "scopes": ["posts:read", "posts:write", "profile:read"]}
        assert (await client.put(path, json=changed, headers=staff | {"If-Match": etag})).status_code == 204
        assert (await client.get(path, headers=staff)).json()["name"] == "Reader 2"
        stale = await client.put(path, json=changed, headers=staff | {"If-Match": etag})
        assert stale.status_code == 412
        assert await self.refresh(client, other, allowed) == 200
        assert await list_actions(database) == ["client_created", "client_updated"]

    async def test_narrower_ends_its_tokens(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, staff: Headers, other: Any, allowed: Any
    ) -> None:
        narrower = UPDATE | {"scopes": ["posts:read"]}
        assert (await client.put(f"{PATH}/{other.client_id}", json=narrower, headers=staff)).status_code == 204
        assert await self.refresh(client, other, allowed) == 400
        assert await count(database, AppCode) == 0
        assert await count(database, SessionRevocation) == 1

    async def test_new_secret(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, staff: Headers, other: Any, allowed: Any
    ) -> None:
        answer = await client.post(f"{PATH}/{other.client_id}/secret", headers=staff)
        assert answer.status_code == 200
        assert await self.refresh(client, other, allowed) == 401
        other.secret = answer.json()["client_secret"]
        assert await self.refresh(client, other, allowed) == 200
        assert await list_actions(database) == ["client_created", "client_secret_renewed"]

    async def test_public_has_no_secret(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, staff: Headers, register_app: Any
    ) -> None:
        public = await register_app(database, is_confidential=False)
        answer = await client.post(f"{PATH}/{public.client_id}/secret", headers=staff)
        assert (answer.status_code, answer.json()["code"]) == (409, "client_public")

    async def test_delete(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, staff: Headers, other: Any, allowed: Any
    ) -> None:
        """All that people let it do is over, and nobody else is logged out."""
        assert (await client.delete(f"{PATH}/{other.client_id}", headers=staff)).status_code == 204
        assert await self.refresh(client, other, allowed) == 401
        assert await count(database, AppCode) == await count(database, Consent) == await count(database, App) == 0
        async with database.transaction() as session:
            ended = set(
                await session.scalars(select(LoginSession.client_id).where(LoginSession.revoked_at.is_not(None)))
            )
        assert ended == {other.client_id}
        assert await list_actions(database) == ["client_created", "client_deleted"]
        assert (await client.get("/auth/authorize", params=other.ask())).status_code == 400
