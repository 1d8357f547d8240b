"""`POST /auth/token` with client credentials: a service is a principal of its own."""

import base64
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import httpx
import jwt
import pytest
from fastapi import FastAPI

from auth.profiles.models import Profile
from chassis.testing.databases import RolledBackDatabase

Secrets = dict[str, str]


def as_basic(client_id: str, secret: str) -> dict[str, str]:
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


async def request_service_token(
    client: httpx.AsyncClient, headers: dict[str, str] | None = None, **form: str
) -> httpx.Response:
    return await client.post("/auth/token", data={"grant_type": "client_credentials", **form}, headers=headers)


class TestClientGrant:
    @pytest.mark.parametrize(
        ("client_id", "scope"),
        [
            ("posts", "events:read"),
            ("notifications", "confirmations:read events:read"),
            ("worker", "exports:read jobs:work"),
        ],
    )
    async def test_valid(self, client: httpx.AsyncClient, client_secrets: Secrets, client_id: str, scope: str) -> None:
        response = await request_service_token(client, as_basic(client_id, client_secrets[client_id]))
        assert response.status_code == 200
        assert (response.json()["scope"], response.json()["expires_in"]) == (scope, 300)
        assert "refresh_token" not in response.text
        assert "set-cookie" not in response.headers
        claims = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
        assert (claims["aud"], claims["sub"]) == ("broadsheet-internal", f"service:{client_id}")
        assert claims["exp"] - claims["iat"] == 300
        assert "sid" not in claims

    async def test_valid_in_the_form(self, client: httpx.AsyncClient, client_secrets: Secrets) -> None:
        form = {"client_id": "posts", "client_secret": client_secrets["posts"]}
        assert (await request_service_token(client, None, **form)).status_code == 200

    async def test_narrower_scope(self, client: httpx.AsyncClient, client_secrets: Secrets) -> None:
        headers = as_basic("notifications", client_secrets["notifications"])
        narrow = await request_service_token(client, headers, scope="events:read")
        assert narrow.json()["scope"] == "events:read"
        wide = await request_service_token(client, headers, scope="events:read jobs:work")
        assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")

    @pytest.mark.parametrize(
        "headers",
        [
            as_basic("posts", "wrong"),
            as_basic("billing", "wrong"),
            as_basic("", ""),
            as_basic("Posts\x00", "wrong"),
            {"Authorization": "Basic ***"},
            {"Authorization": "Basic " + base64.b64encode(b"no-colon").decode()},
            {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
            {},
        ],
    )
    async def test_refused(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        response = await request_service_token(client, headers)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
        assert response.headers["WWW-Authenticate"] == 'Basic realm="broadsheet"'

    async def test_kinds_of_tokens_are_not_taken_for_each_other(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        client_secrets: Secrets,
        create_profile: Callable[..., Awaitable[Profile]],
        login: Callable[[FastAPI, Profile], Awaitable[dict[str, str]]],
    ) -> None:
        granted = await request_service_token(client, as_basic("posts", client_secrets["posts"]))
        service = {"Authorization": f"Bearer {granted.json()['access_token']}"}
        person = await login(app, await create_profile(database))
        assert (await client.get("/profiles/me", headers=service)).status_code == 401
        assert (await client.get("/internal/events", headers=person)).status_code == 401
        assert (await client.get("/profiles/me", headers=person)).status_code == 200
        assert (await client.get("/internal/events", headers=service)).status_code == 200
