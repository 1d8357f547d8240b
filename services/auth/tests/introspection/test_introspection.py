"""`POST /auth/introspect` and `POST /auth/revoke`: what clients ask about tokens, and which they give up."""

import base64
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.audit.models import AuditEntry
from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.profiles.models import Profile
from auth.sessions.constants import EndReason
from auth.sessions.models import LoginSession
from auth.sessions.service import end_sessions
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase

INTROSPECT = "/auth/introspect"
REVOKE = "/auth/revoke"
INACTIVE = {"active": False}
BOTH = [INTROSPECT, REVOKE]


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def other(database: RolledBackDatabase, register_app: Callable[..., Awaitable[Any]]) -> Any:
    return await register_app(database)


@pytest.fixture
async def tokens(
    app: FastAPI, client: httpx.AsyncClient, profile: Profile, other: Any, log_in_browser: Any, allow: Any
) -> Any:
    code = await allow(client, other, await log_in_browser(app, profile))
    return (await client.post("/auth/token", data=other.redeem(code))).json()


@pytest.fixture
def posts(client_secrets: dict[str, str]) -> dict[str, str]:
    """A service of ours, in a form."""
    return {"client_id": "posts", "client_secret": client_secrets["posts"]}


async def count_open(database: Database, client_id: str) -> int:
    async with database.transaction() as session:
        query = select(func.count()).select_from(LoginSession).filter_by(client_id=client_id, revoked_at=None)
        return (await session.scalars(query)).one()


class TestClient:
    @pytest.mark.parametrize("path", BOTH)
    @pytest.mark.parametrize(
        "credentials",
        [
            {},
            {"client_id": "posts"},
            {"client_id": "posts", "client_secret": "wrong"},
            {"client_id": "nobody", "client_secret": "wrong"},
            {"client_secret": "wrong"},
        ],
    )
    async def test_anonymous(self, client: httpx.AsyncClient, path: str, credentials: dict[str, str]) -> None:
        answer = await client.post(path, data={"token": "x", **credentials})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")

    @pytest.mark.parametrize("path", BOTH)
    async def test_name_that_can_be_nobodys(self, client: httpx.AsyncClient, path: str) -> None:
        """Percent-encoded, as RFC 6749 wants it in a header: no database would take it."""
        answer = await client.post(path, data={"token": "x"}, auth=httpx.BasicAuth("nul%00", "wrong"))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize("path", BOTH)
    @pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": "x" * 4097}, {"token": ["a", "b"]}])
    async def test_malformed(
        self, client: httpx.AsyncClient, posts: dict[str, str], path: str, form: dict[str, Any]
    ) -> None:
        answer = await client.post(path, data={**form, **posts})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    @pytest.mark.parametrize("path", BOTH)
    async def test_in_two_ways(self, client: httpx.AsyncClient, posts: dict[str, str], path: str) -> None:
        pair = base64.b64encode(f"posts:{posts['client_secret']}".encode()).decode()
        answer = await client.post(path, data={"token": "x", **posts}, headers={"Authorization": f"Basic {pair}"})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    async def test_public_one_may_not_ask(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, register_app: Any
    ) -> None:
        """Its name is no proof of anything: whoever found a token could ask whose it is."""
        public = await register_app(database, is_confidential=False)
        answer = await client.post(INTROSPECT, data={"token": "x", **public.credentials})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize("path", BOTH)
    async def test_guesses_are_limited(self, app: FastAPI, client: httpx.AsyncClient, path: str) -> None:
        config = LimitsConfig(token="2/minute", introspect="100/minute")
        app.state.rate_limiter = RateLimiter(config, secrets.token_bytes(16), None, local_share=1)
        form = {"token": "x", "client_id": "posts", "client_secret": "wrong"}
        statuses = [(await client.post(path, data=form)).status_code for _ in range(4)]
        assert statuses == [401, 401, 401, 429]


class TestIntrospect:
    async def test_access_token(self, client: httpx.AsyncClient, profile: Profile, other: Any, tokens: Any) -> None:
        answer = await client.post(INTROSPECT, data={"token": tokens["access_token"], **other.credentials})
        told = answer.json()
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        expected = {
            "active": True,
            "scope": "profile:read",
            "client_id": other.client_id,
            "sub": str(profile.id),
            "iss": "https://broadsheet.example",
            "aud": "broadsheet",
            "token_type": "Bearer",
            "acr": "aal1",
        }
        assert told.items() >= expected.items()
        assert told["exp"] - told["iat"] == 300

    async def test_refresh_token(self, client: httpx.AsyncClient, profile: Profile, other: Any, tokens: Any) -> None:
        told = (await client.post(INTROSPECT, data={"token": tokens["refresh_token"], **other.credentials})).json()
        assert told.keys() == {"active", "scope", "client_id", "sub", "exp"}
        assert (told["active"], told["sub"]) == (True, str(profile.id))

    async def test_by_a_service(self, client: httpx.AsyncClient, other: Any, tokens: Any, posts: Any) -> None:
        told = (await client.post(INTROSPECT, data={"token": tokens["access_token"], **posts})).json()
        assert (told["active"], told["client_id"]) == (True, other.client_id)

    async def test_token_of_a_service(self, client: httpx.AsyncClient, posts: dict[str, str], other: Any) -> None:
        granted = await client.post("/auth/token", data={"grant_type": "client_credentials", **posts})
        form = {"token": granted.json()["access_token"]}
        told = (await client.post(INTROSPECT, data={**form, **posts})).json()
        assert (told["active"], told["sub"], told["aud"]) == (True, "service:posts", "broadsheet-internal")
        assert (await client.post(INTROSPECT, data={**form, **other.credentials})).json() == INACTIVE

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    async def test_token_of_another_app(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, tokens: Any, register_app: Any, kind: str
    ) -> None:
        nosy = await register_app(database, name="Nosy")
        answer = await client.post(INTROSPECT, data={"token": tokens[kind], **nosy.credentials})
        assert (answer.status_code, answer.json()) == (200, INACTIVE)

    @pytest.mark.parametrize("token", ["x", "a.b.c", "ü" * 10, "0" * 4096])
    async def test_no_token(self, client: httpx.AsyncClient, other: Any, token: str) -> None:
        answer = await client.post(INTROSPECT, data={"token": token, **other.credentials})
        assert (answer.status_code, answer.json()) == (200, INACTIVE)

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    async def test_session_has_ended(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        tokens: Any,
        other: Any,
        kind: str,
    ) -> None:
        """At once, whoever has heard of it by now."""
        async with database.transaction() as session:
            await end_sessions(session, EndReason.ENDED_BY_OWNER, profile_id=profile.id)
        answer = await client.post(INTROSPECT, data={"token": tokens[kind], **other.credentials})
        assert answer.json() == INACTIVE


class TestRevoke:
    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, tokens: Any, other: Any, kind: str
    ) -> None:
        form = {"token": tokens[kind], "token_type_hint": "of-another-kind", **other.credentials}
        for _ in range(2):
            assert (await client.post(REVOKE, data=form)).status_code == 200
        assert await count_open(database, other.client_id) == 0
        assert await count_open(database, "broadsheet") == 1
        async with database.transaction() as session:
            [entry] = await session.scalars(select(AuditEntry).filter_by(action="session_ended"))
        assert entry.details["client_id"] == other.client_id

    async def test_refresh_token_that_was_used(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, tokens: Any, other: Any
    ) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **other.credentials}
        assert (await client.post("/auth/token", data=form)).status_code == 200
        await client.post(REVOKE, data={"token": tokens["refresh_token"], **other.credentials})
        assert await count_open(database, other.client_id) == 0

    async def test_public_client(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        register_app: Any,
        open_session: Any,
    ) -> None:
        public = await register_app(database, is_confidential=False)
        opened = await open_session(app, profile, client_id=public.client_id)
        answer = await client.post(REVOKE, data={"token": opened.refresh_token, **public.credentials})
        assert (answer.status_code, await count_open(database, public.client_id)) == (200, 0)

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    async def test_token_of_another_app(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        tokens: Any,
        other: Any,
        register_app: Any,
        kind: str,
    ) -> None:
        """RFC 7009, 2.1: refused, and told."""
        nosy = await register_app(database, name="Nosy")
        answer = await client.post(REVOKE, data={"token": tokens[kind], **nosy.credentials})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        assert await count_open(database, other.client_id) == 1

    async def test_no_token(self, client: httpx.AsyncClient, other: Any) -> None:
        assert (await client.post(REVOKE, data={"token": "x", **other.credentials})).status_code == 200

    async def test_by_a_service(self, client: httpx.AsyncClient, posts: dict[str, str]) -> None:
        answer = await client.post(REVOKE, data={"token": "x", **posts})
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_token_type")
