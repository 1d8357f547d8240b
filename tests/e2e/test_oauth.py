"""Apps of others: the libraries that they are written with, unmodified, and what people see of them."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from e2e.apps import BrowserOf, install_clients, run_app
from e2e.people import API, Person
from e2e.platform import Platform
from e2e.polling import wait_until

CreatePerson = Callable[..., Awaitable[Person]]
Register = Callable[..., Awaitable[dict[str, Any]]]

REDIRECT_URI = "https://reader.example/callback"
VERIFIER = "a-verifier-of-the-app-that-nobody-else-knows-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture(scope="session", autouse=True)
def clients() -> None:
    install_clients()


@pytest.fixture
async def staff(platform: Platform, create_person: CreatePerson) -> Person:
    person = await create_person()
    await platform.grant_role(person.email, "admin")
    (await person.log_in()).raise_for_status()
    return person


@pytest.fixture
def register(platform: Platform, staff: Person) -> Register:
    """What the makers of an app are told by our staff."""

    async def create(redirect_uri: str = REDIRECT_URI, *, is_confidential: bool = True) -> dict[str, Any]:
        body = {
            "name": "The Reader",
            "website": "https://reader.example",
            "redirect_uris": [redirect_uri],
            "scopes": ["profile:read", "posts:write"],
            "is_confidential": is_confidential,
        }
        response = await staff.client.post(f"{API}/admin/clients", json=body)
        response.raise_for_status()
        created: dict[str, Any] = response.json()
        address = {"issuer": platform.base_url, "api": f"{platform.base_url}{API}", "redirect_uri": redirect_uri}
        return created | address

    return create


class TestAuthlib:
    async def test_valid(self, platform: Platform, create_person: CreatePerson, register: Register) -> None:
        person, settings = await create_person(), await register()
        async with httpx.AsyncClient(base_url=platform.base_url) as anybody:
            metadata = (await anybody.get("/.well-known/oauth-authorization-server")).json()
        assert metadata["issuer"] == platform.base_url
        assert "password" not in metadata["grant_types_supported"]
        async with AsyncOAuth2Client(
            settings["client_id"],
            settings["client_secret"],
            redirect_uri=REDIRECT_URI,
            scope="profile:read",
            code_challenge_method="S256",
            token_endpoint=metadata["token_endpoint"],
            revocation_endpoint_auth_method="client_secret_basic",
        ) as app:
            url, state = app.create_authorization_url(metadata["authorization_endpoint"], code_verifier=VERIFIER)
            assert CHALLENGE in url
            browser = BrowserOf(person)
            landed = await browser.visit(url)
            assert "The Reader" in browser.pages[-2]
            tokens = await app.fetch_token(authorization_response=landed, state=state, code_verifier=VERIFIER)
            assert (tokens["scope"], tokens["token_type"].lower()) == ("profile:read", "bearer")
            profile = (await app.get(f"{settings['api']}/profiles/me")).json()
            assert profile["email"] == person.email
            refreshed = await app.refresh_token()
            about = await app.introspect_token(metadata["introspection_endpoint"], refreshed["access_token"])
            assert about.json()["active"] is True
            revoked = await app.revoke_token(metadata["revocation_endpoint"], refreshed["refresh_token"])
            assert revoked.status_code == httpx.codes.OK
            about = await app.introspect_token(metadata["introspection_endpoint"], refreshed["access_token"])
            assert about.json() == {"active": False}
        await person.mailbox.wait_for(person.email, "app was let in")


class TestOpenidClient:
    async def test_valid(self, create_person: CreatePerson, register: Register) -> None:
        person, settings = await create_person(), await register()
        told = await run_app("openid_client.mjs", settings, BrowserOf(person))
        assert told == {
            "methods": ["S256"],
            "denial": "invalid_scope",
            "scope": "profile:read",
            "email": person.email,
            "sessions": httpx.codes.FORBIDDEN,
            "is_rotated": True,
            "known": {"active": True, "client_id": settings["client_id"], "scope": "profile:read"},
            "revoked": {"active": False},
            "late": "invalid_grant",
        }


class TestOauth4webapi:
    async def test_valid(self, create_person: CreatePerson, register: Register) -> None:
        """A public app on the person's machine, whose port is another one each time."""
        person, settings = await create_person(), await register("http://127.0.0.1/callback", is_confidential=False)
        settings["redirect_uri"] = "http://127.0.0.1:51776/callback"
        told = await run_app("oauth4webapi.mjs", settings, BrowserOf(person))
        assert told == {
            "mistaken": "invalid_grant",
            "issuer": settings["issuer"],
            "email": person.email,
            "scope": "profile:read",
            "nosy": "OAUTH_WWW_AUTHENTICATE_CHALLENGE",
            "replayed": "invalid_grant",
            "ended": "invalid_grant",
        }


class TestConsent:
    async def test_taken_back_ends_the_app_everywhere_within_a_second(
        self, create_person: CreatePerson, register: Register
    ) -> None:
        person, settings = await create_person(creator=True), await register()
        query = {
            "client_id": settings["client_id"],
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "posts:write",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        browser = BrowserOf(person)
        url = str(httpx.URL(f"{settings['api']}/auth/authorize", params=query))
        landed = httpx.URL(await browser.visit(url))
        again = httpx.URL(await browser.visit(url, step="nothing-is-asked"))
        assert landed.params["iss"] == again.params["iss"] == settings["issuer"]
        form = {
            "grant_type": "authorization_code",
            "code": again.params["code"],
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        async with httpx.AsyncClient(timeout=20) as app:
            secret = (settings["client_id"], settings["client_secret"])
            tokens = (await app.post(f"{settings['api']}/auth/token", data=form, auth=secret)).json()
            app.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            post = {"title": "By an app", "body": "Text"}
            written = await wait_until(
                lambda: app.post(f"{settings['api']}/posts", json=post), lambda answer: answer.is_success
            )
            assert written.json()["title"] == "By an app"
            refused = await app.get(f"{settings['api']}/notifications")
            assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")

            [consent] = (await person.read("/auth/consents"))["items"]
            assert (consent["client_id"], consent["scopes"]) == (settings["client_id"], ["posts:write"])
            ended = await person.client.delete(f"{API}/auth/consents/{settings['client_id']}")
            assert ended.status_code == httpx.codes.NO_CONTENT
            await wait_until(
                lambda: app.post(f"{settings['api']}/posts", json=post),
                lambda answer: answer.status_code == httpx.codes.UNAUTHORIZED,
                seconds=1,
            )
        assert (await person.read("/auth/consents"))["items"] == []
