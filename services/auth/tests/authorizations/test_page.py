"""`/auth/authorize`: the page on which people let an app in, as a browser meets it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.accounts.models import Account
from auth.audit.models import AuditEntry
from auth.codes.models import AppCode
from auth.consents.models import Consent
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession, RefreshToken
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

PATH = "/auth/authorize"
PASSWORD = "Correct-Horse-7-Battery"
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
Headers = dict[str, str]


async def press(
    client: httpx.AsyncClient, other: Any, step: str, headers: Headers = OUR_PAGE, **fields: str
) -> httpx.Response:
    return await client.post(PATH, params=other.ask(), data={"step": step, **fields}, headers=headers)


async def count(database: Database, model: Any) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(model))).one()


async def list_kinds(database: Database) -> list[str]:
    query = select(OutboxEvent.payload["kind"].astext).filter_by(type="security.noticed").order_by(OutboxEvent.id)
    async with database.transaction() as session:
        return [str(kind) for kind in await session.scalars(query)]


class TestShow:
    async def test_anonymous(self, client: httpx.AsyncClient, other: Any) -> None:
        answer = await client.get(PATH, params=other.ask())
        page = BeautifulSoup(answer.text, "html.parser")
        assert answer.status_code == 200
        assert [field["type"] for field in page.select("input")] == ["email", "password"]
        assert [button["value"] for button in page.select("button")] == ["log_in", "deny"]
        assert "Reader" in answer.text

    async def test_from_another_site_the_browser_asks_again(self, client: httpx.AsyncClient, other: Any) -> None:
        """The cookie is SameSite=Strict: a browser that comes from the app keeps it back, once."""
        answer = await client.get(PATH, params=other.ask(), headers={"Sec-Fetch-Site": "cross-site"})
        refresh = BeautifulSoup(answer.text, "html.parser").select_one("meta[http-equiv=refresh]")
        assert refresh
        seconds, _, url = str(refresh["content"]).partition("; url=")
        assert (seconds, httpx.URL(unescape(url)).path) == ("0", "authorize")
        assert dict(httpx.URL(url).params) == other.ask()
        assert 'type="password"' not in answer.text

    async def test_question(self, client: httpx.AsyncClient, profile: Profile, other: Any, browser: Headers) -> None:
        answer = await client.get(PATH, params=other.ask(scope="posts:write profile:read"), headers=browser)
        page = BeautifulSoup(answer.text, "html.parser")
        assert [item.text for item in page.select("li")] == [
            "See your profile, with your e-mail address",
            "Write, change and publish posts for you",
        ]
        assert [button["value"] for button in page.select("button")] == ["allow", "deny", "switch"]
        assert profile.username in page.text
        assert "reader.example" in page.text
        assert answer.headers["cache-control"] == "no-store"

    async def test_policy_lets_nothing_in_but_the_form(
        self, client: httpx.AsyncClient, other: Any, browser: Headers
    ) -> None:
        answer = await client.get(PATH, params=other.ask(), headers=browser)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self' https://reader.example;" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert "<script" not in answer.text

    async def test_nothing_an_app_says_is_markup(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, browser: Headers, register_app: Any
    ) -> None:
        loud = await register_app(database, name="<b>Bank</b>", website=None)
        answer = await client.get(PATH, params=loud.ask(state='"><script>'), headers=browser)
        assert "<b>Bank" not in answer.text
        assert "<script>" not in answer.text
        assert "&lt;b&gt;Bank" in answer.text

    async def test_without_scope_all_that_the_app_may(
        self, client: httpx.AsyncClient, other: Any, browser: Headers
    ) -> None:
        answer = await client.get(PATH, params=other.ask(scope=""), headers=browser)
        assert len(BeautifulSoup(answer.text, "html.parser").select("li")) == 3


class TestWhoseBrowser:
    """By the refresh cookie, which is looked at and not used up."""

    async def is_known(self, client: httpx.AsyncClient, other: Any, browser: Headers) -> bool:
        answer = await client.get(PATH, params=other.ask(), headers=browser)
        assert "set-cookie" not in answer.headers
        return 'value="allow"' in answer.text

    async def test_cookie_stays_good(self, client: httpx.AsyncClient, other: Any, browser: Headers) -> None:
        assert await self.is_known(client, other, browser)
        refreshed = await client.post("/auth/token", data={"grant_type": "refresh_token"}, headers=browser)
        assert refreshed.status_code == 200

    async def test_used_one_within_the_grace_alone(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, browser: Headers
    ) -> None:
        await client.post("/auth/token", data={"grant_type": "refresh_token"}, headers=browser)
        assert await self.is_known(client, other, browser)
        async with database.transaction() as session:
            await session.execute(update(RefreshToken).values(used_at=RefreshToken.used_at - timedelta(seconds=11)))
        assert not await self.is_known(client, other, browser)

    @pytest.mark.parametrize("name", ["revoked_at", "expires_at", "idle_ends_at"])
    async def test_ended(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, browser: Headers, name: str
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(LoginSession).values(**{name: func.now()}))
        assert not await self.is_known(client, other, browser)

    async def test_of_an_app_of_somebody_else(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, other: Any, log_in_browser: Any
    ) -> None:
        """It cannot let others in, with a refresh token in place of the cookie."""
        browser = await log_in_browser(app, profile, client_id=other.client_id)
        assert not await self.is_known(client, other, browser)

    async def test_banned(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, browser: Headers
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(Account).values(banned_at=func.now()))
        assert not await self.is_known(client, other, browser)

    async def test_of_one_factor_where_the_account_has_two(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, other: Any, browser: Headers, turn_on_totp: Any
    ) -> None:
        assert await self.is_known(client, other, browser)
        await turn_on_totp(app, profile)
        assert not await self.is_known(client, other, browser)


class TestLogIn:
    async def test_valid(self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, email: str) -> None:
        """The browser is logged in, as on any page of ours, and is asked."""
        answer = await press(client, other, "log_in", username=email, password=PASSWORD)
        assert answer.status_code == 303
        assert httpx.URL(answer.headers["location"]).path == "authorize"
        assert dict(httpx.URL(answer.headers["location"]).params) == other.ask()
        cookies = {cookie.partition("=")[0]: cookie for cookie in answer.headers.get_list("set-cookie")}
        assert cookies.keys() == {"__Host-refresh_token", "__Host-device"}
        assert "samesite=strict" in cookies["__Host-refresh_token"].lower()
        token = cookies["__Host-refresh_token"].partition(";")[0]
        page = await client.get(PATH, params=other.ask(), headers=OUR_PAGE | {"Cookie": token})
        assert 'value="allow"' in page.text
        assert await count(database, AppCode) == 0

    @pytest.mark.parametrize(
        "changes", [{"password": "wrong"}, {"username": "nobody@people.example"}, {"password": ""}]
    )
    async def test_wrong(self, client: httpx.AsyncClient, other: Any, email: str, changes: dict[str, str]) -> None:
        """The same page, whoever it was."""
        answer = await press(client, other, "log_in", OUR_PAGE, **{"username": email, "password": PASSWORD} | changes)
        assert (answer.status_code, 'type="password"' in answer.text) == (403, True)
        assert "set-cookie" not in answer.headers
        nobody = await press(client, other, "log_in", username="a@b.example", password="x")
        assert answer.text == nobody.text
        assert email not in answer.text

    async def test_failure_is_recorded(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, email: str
    ) -> None:
        await press(client, other, "log_in", username=email, password="wrong")
        async with database.transaction() as session:
            assert list(await session.scalars(select(AuditEntry.action).filter_by(action="login_failed")))

    async def test_banned(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, email: str
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(Account).values(banned_at=func.now()))
        answer = await press(client, other, "log_in", username=email, password=PASSWORD)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)

    async def test_limited(
        self, client: httpx.AsyncClient, other: Any, email: str, keep_hashing_busy: Any, app: FastAPI
    ) -> None:
        with keep_hashing_busy(app):
            answer = await press(client, other, "log_in", username=email, password=PASSWORD)
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
        assert answer.headers["content-type"].startswith("text/html")

    async def test_form_of_another_site(self, client: httpx.AsyncClient, other: Any, email: str) -> None:
        """Nobody is logged in as somebody else by a stranger's form."""
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            answer = await press(client, other, "log_in", headers, username=email, password=PASSWORD)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


class TestDecide:
    async def test_allow(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, other: Any, browser: Headers
    ) -> None:
        answer = await press(client, other, "allow", browser)
        location = httpx.URL(answer.headers["location"])
        assert answer.status_code == 303
        assert str(location.copy_with(query=None)) == other.redirect_uri
        told = dict(location.params)
        assert told.keys() == {"code", "state", "iss"}
        assert (told["state"], told["iss"]) == ("of-the-app", "https://broadsheet.example")
        assert await list_kinds(database) == ["app_allowed"]
        async with database.transaction() as session:
            [consent] = await session.scalars(select(Consent))
            [entry] = await session.scalars(select(AuditEntry).filter_by(action="consent_given"))
        assert (consent.profile_id, consent.scopes) == (profile.id, ["profile:read"])
        assert entry.details == {"client_id": other.client_id, "app": "Reader", "scope": "profile:read"}

    async def test_anonymous(self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any) -> None:
        answer = await press(client, other, "allow")
        assert 'type="password"' in answer.text
        assert await count(database, AppCode) == 0

    @pytest.mark.parametrize("step", ["allow", "deny", "continue"])
    @pytest.mark.parametrize(
        "site",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        ],
    )
    async def test_forged_by_another_site(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        other: Any,
        browser: Headers,
        site: Headers,
        step: str,
    ) -> None:
        """Even if the browser sent the cookie along."""
        answer = await press(client, other, step, browser | site)
        assert (answer.status_code, "location" in answer.headers) == (403, False)
        assert await count(database, AppCode) == await count(database, Consent) == 0

    async def test_deny(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, browser: Headers
    ) -> None:
        answer = await press(client, other, "deny", browser)
        told = dict(httpx.URL(answer.headers["location"]).params)
        assert (told["error"], told["state"], "code" in told) == ("access_denied", "of-the-app", False)
        assert await count(database, AppCode) == await count(database, Consent) == 0

    async def test_somebody_else(self, client: httpx.AsyncClient, other: Any, browser: Headers) -> None:
        assert 'type="password"' in (await press(client, other, "switch", browser)).text

    async def test_go_on_leads_to_the_page(self, client: httpx.AsyncClient, other: Any) -> None:
        answer = await press(client, other, "continue")
        assert dict(httpx.URL(answer.headers["location"]).params) == other.ask()

    @pytest.mark.parametrize("form", [{}, {"step": "nothing"}, {"step": "log_in", "password": "x" * 200}])
    async def test_malformed(self, client: httpx.AsyncClient, other: Any, form: dict[str, str]) -> None:
        answer = await client.post(PATH, params=other.ask(), data=form, headers=OUR_PAGE)
        assert (answer.status_code, "cannot be read" in answer.text) == (400, True)

    async def test_twice_at_once(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: Callable[..., Awaitable[Profile]],
        register_app: Any,
        log_in_browser: Any,
    ) -> None:
        """Somebody presses ten times: one consent, one mail."""
        other = await register_app(committed_database)
        browser = await log_in_browser(committed_app, await create_profile(committed_database))
        answers = await asyncio.gather(*(press(committed_client, other, "allow", browser) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {303}
        assert await count(committed_database, Consent) == 1
        assert await list_kinds(committed_database) == ["app_allowed"]


class TestRemembered:
    async def is_asked(self, client: httpx.AsyncClient, other: Any, browser: Headers, **query: str) -> bool:
        answer = await client.get(PATH, params=other.ask(**query), headers=browser)
        assert answer.status_code in {200, 303}
        return answer.status_code == 200

    async def test_not_asked_again(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, browser: Headers, allow: Any
    ) -> None:
        await allow(client, other, browser, scope="profile:read posts:read")
        assert not await self.is_asked(client, other, browser, scope="posts:read")
        assert await list_kinds(database) == ["app_allowed"]

    async def test_asked_for_more(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, browser: Headers, allow: Any
    ) -> None:
        await allow(client, other, browser)
        assert await self.is_asked(client, other, browser, scope="profile:read posts:write")
        await allow(client, other, browser, scope="posts:write")
        assert not await self.is_asked(client, other, browser, scope="profile:read posts:write")
        assert await list_kinds(database) == ["app_allowed", "app_allowed"]

    async def test_somebody_else_is_asked(
        self, client: httpx.AsyncClient, other: Any, browser: Headers, allow: Any
    ) -> None:
        await allow(client, other, browser)
        assert await self.is_asked(client, other, OUR_PAGE)

    @pytest.mark.parametrize("uri", ["com.example.reader:/callback", "http://127.0.0.1/callback"])
    async def test_public_app_that_anybody_could_be_is_asked_each_time(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        browser: Headers,
        register_app: Any,
        allow: Any,
        uri: str,
    ) -> None:
        """RFC 8252, 8.6."""
        public = await register_app(database, is_confidential=False, redirect_uris=[uri])
        await allow(client, public, browser)
        assert await self.is_asked(client, public, browser)
