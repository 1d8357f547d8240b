"""A lost password, and one that is to be another."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.accounts.models import Account
from auth.confirmations.models import Confirmation
from auth.profiles.models import Profile
from auth.recovery.models import RecoveryRequest
from auth.sessions.models import LoginSession, RefreshToken
from auth.sessions.service import OpenSession
from auth.sessions.utils import compute_digest
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

PASSWORD = "Correct-Horse-7-Battery"
NEW = "Staple-Zebra-9-Lantern"

ReadTokens = Callable[[FastAPI], Awaitable[dict[str, str]]]
RequestToken = Callable[..., Awaitable[httpx.Response]]
Login = Callable[..., Awaitable[dict[str, str]]]
Names = Callable[[Database], Awaitable[list[str]]]
Mails = Callable[[Database], Awaitable[list[tuple[str, str]]]]


async def count_open(database: Database) -> int:
    async with database.transaction() as session:
        query = select(func.count()).select_from(LoginSession).where(LoginSession.revoked_at.is_(None))
        return (await session.scalars(query)).one()


@pytest.fixture
async def token(app: FastAPI, client: httpx.AsyncClient, email: str, read_tokens: ReadTokens) -> str:
    """From the mail."""
    assert (await client.post("/auth/password-resets", json={"email": email.upper()})).status_code == 202
    return (await read_tokens(app))["password_reset"]


class TestRequest:
    @pytest.mark.parametrize("path", ["/auth/password-resets", "/auth/confirmation-mails"])
    async def test_nobody_learns_who_is_registered(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, path: str
    ) -> None:
        """The same answer, and the same statements: the rest happens elsewhere."""
        seen = []
        for address in (email, "nobody@people.example"):
            with record_statements(database) as statements:
                answer = await client.post(path, json={"email": address})
            seen.append((answer.status_code, answer.content, sorted(answer.headers), statements))
        assert seen[0] == seen[1]
        assert seen[0][0] == 202

    async def test_mail_goes_to_who_is_there(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        email: str,
        read_tokens: ReadTokens,
        list_mails: Mails,
    ) -> None:
        for address in (email, "nobody@people.example", email):
            await client.post("/auth/password-resets", json={"email": address})
        await read_tokens(app)
        assert await list_mails(database) == [(email, "password_reset")]
        async with database.transaction() as session:
            assert (await session.scalars(select(RecoveryRequest))).all() == []

    @pytest.mark.parametrize(("confirmed", "expected"), [(True, []), (False, ["sign_up"])])
    async def test_confirmation_is_sent_again_to_who_waits_for_one(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: Callable[..., Awaitable[Profile]],
        read_tokens: ReadTokens,
        list_mails: Mails,
        confirmed: bool,
        expected: list[str],
    ) -> None:
        profile = await create_profile(database, confirmed=confirmed)
        await client.post("/auth/confirmation-mails", json={"email": f"{profile.username}@people.example"})
        tokens = await read_tokens(app)
        assert [purpose for _, purpose in await list_mails(database)] == expected
        if not confirmed:
            body = {"token": tokens["sign_up"]}
            assert (await client.post("/profiles/confirmations", json=body)).status_code == 204

    async def test_banned_gets_none(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        email: str,
        read_tokens: ReadTokens,
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(Account).values(banned_at=func.now()))
        await client.post("/auth/password-resets", json={"email": email})
        assert await read_tokens(app) == {}

    @pytest.mark.parametrize("body", [{}, {"email": "no address"}, {"email": "a@b.example", "more": 1}])
    async def test_malformed(self, client: httpx.AsyncClient, body: dict[str, object]) -> None:
        for path in ("/auth/password-resets", "/auth/confirmation-mails"):
            assert (await client.post(path, json=body)).status_code == 422


class TestReset:
    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        email: str,
        token: str,
        open_session: Callable[..., Awaitable[OpenSession]],
        request_token: RequestToken,
        list_notices: Names,
    ) -> None:
        await open_session(app, profile)
        response = await client.put("/auth/password-resets", json={"token": token, "password": NEW})
        assert (response.status_code, response.content) == (204, b"")
        assert await count_open(database) == 0
        assert await list_notices(database) == ["password_reset"]
        assert (await request_token(client, username=email)).json()["code"] == "credentials_invalid"
        assert (await request_token(client, username=email, password=NEW)).status_code == 200

    async def test_token_works_once(self, client: httpx.AsyncClient, token: str) -> None:
        answers = [await client.put("/auth/password-resets", json={"token": token, "password": NEW}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [204, 400]
        assert answers[1].json()["code"] == "link_invalid"

    async def test_only_the_newest_link_works(
        self, app: FastAPI, client: httpx.AsyncClient, email: str, token: str, read_tokens: ReadTokens
    ) -> None:
        await client.post("/auth/password-resets", json={"email": email})
        newest = (await read_tokens(app))["password_reset"]
        statuses = [
            (await client.put("/auth/password-resets", json={"token": link, "password": NEW})).status_code
            for link in (token, newest)
        ]
        assert statuses == [400, 204]

    async def test_expired(self, client: httpx.AsyncClient, database: RolledBackDatabase, token: str) -> None:
        async with database.transaction() as session:
            past = Confirmation.expires_at - timedelta(minutes=30)
            await session.execute(update(Confirmation).values(expires_at=past))
        response = await client.put("/auth/password-resets", json={"token": token, "password": NEW})
        assert (response.status_code, response.json()["code"]) == (400, "link_invalid")

    async def test_link_of_another_kind(
        self, app: FastAPI, client: httpx.AsyncClient, sign_up_form: dict[str, str], read_tokens: ReadTokens
    ) -> None:
        await client.post("/profiles", json=sign_up_form)
        body = {"token": (await read_tokens(app))["sign_up"], "password": NEW}
        assert (await client.put("/auth/password-resets", json=body)).json()["code"] == "link_invalid"

    @pytest.mark.parametrize(
        ("password", "rule"),
        [("short", "string_too_short"), ("password1234", "password_too_common"), ("x" * 20, "password_repetitive")],
    )
    async def test_weak(self, client: httpx.AsyncClient, token: str, password: str, rule: str) -> None:
        """The rule is named, and the link is not used up."""
        response = await client.put("/auth/password-resets", json={"token": token, "password": password})
        [error] = response.json()["errors"]
        assert (response.status_code, error["field"]) == (422, "body.password")
        assert rule in str(error) or "8" in str(error)
        again = await client.put("/auth/password-resets", json={"token": token, "password": NEW})
        assert again.status_code == 204

    async def test_one_of_twenty_at_once(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: Callable[..., Awaitable[Profile]],
        read_tokens: ReadTokens,
    ) -> None:
        profile = await create_profile(committed_database)
        email = {"email": f"{profile.username}@people.example"}
        await committed_client.post("/auth/password-resets", json=email)
        body = {"token": (await read_tokens(committed_app))["password_reset"], "password": NEW}
        answers = await asyncio.gather(*(committed_client.put("/auth/password-resets", json=body) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [204] + [400] * 19


class TestPage:
    async def test_looking_burns_nothing(self, client: httpx.AsyncClient, token: str) -> None:
        looks = [await client.get("/auth/password-reset", params={"token": token}) for _ in range(3)]
        assert {look.status_code for look in looks} == {200}
        assert 'type="password" autocomplete="new-password"' in looks[0].text
        assert token in looks[0].text

    async def test_valid(self, client: httpx.AsyncClient, token: str, email: str, request_token: RequestToken) -> None:
        response = await client.post("/auth/password-reset", data={"token": token, "password": NEW})
        assert (response.status_code, "is set" in response.text) == (200, True)
        assert NEW not in response.text
        assert (await request_token(client, username=email, password=NEW)).status_code == 200

    async def test_weak_password_is_told_and_can_be_mended(self, client: httpx.AsyncClient, token: str) -> None:
        weak = await client.post("/auth/password-reset", data={"token": token, "password": "password1234"})
        assert (weak.status_code, "most common" in weak.text, token in weak.text) == (422, True, True)
        assert "password1234" not in weak.text
        good = await client.post("/auth/password-reset", data={"token": token, "password": NEW})
        assert good.status_code == 200

    @pytest.mark.parametrize("form", [{"token": "A" * 43, "password": NEW}, {"token": "<b>"}, {}])
    async def test_invalid(self, client: httpx.AsyncClient, form: dict[str, str]) -> None:
        response = await client.post("/auth/password-reset", data=form)
        assert (response.status_code, "not valid" in response.text) == (400, True)
        assert "<b>" not in response.text


class TestChange:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        body = {"current_password": PASSWORD, "password": NEW}
        assert (await client.put("/auth/password", json=body)).status_code == 401

    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        email: str,
        login: Login,
        request_token: RequestToken,
        list_notices: Names,
    ) -> None:
        """This session goes on, all others end."""
        await login(app, profile)
        headers = await login(app, profile)
        body = {"current_password": PASSWORD, "password": NEW}
        assert (await client.put("/auth/password", json=body, headers=headers)).status_code == 204
        assert await count_open(database) == 1
        assert len((await client.get("/auth/sessions", headers=headers)).json()["items"]) == 1
        assert await list_notices(database) == ["password_changed"]
        assert (await request_token(client, username=email, password=NEW)).status_code == 200

    async def test_wrong_password(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login
    ) -> None:
        body = {"current_password": "Wrong-Horse-7-Battery", "password": NEW}
        response = await client.put("/auth/password", json=body, headers=await login(app, profile))
        assert (response.status_code, response.json()["code"]) == (403, "password_wrong")

    async def test_own_name_in_it(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login
    ) -> None:
        body = {"current_password": PASSWORD, "password": f"{profile.username}-1"}
        response = await client.put("/auth/password", json=body, headers=await login(app, profile))
        assert response.status_code == 422
        assert profile.username not in response.text

    async def test_login_is_too_old(
        self, app: FastAPI, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, login: Login
    ) -> None:
        await login(app, profile)
        async with database.transaction() as session:
            old = LoginSession.authenticated_at - timedelta(minutes=11)
            await session.execute(update(LoginSession).values(authenticated_at=old))
        token = await _refresh(app, client, profile, database)
        body = {"current_password": PASSWORD, "password": NEW}
        response = await client.put("/auth/password", json=body, headers={"Authorization": f"Bearer {token}"})
        assert (response.status_code, response.json()["code"]) == (401, "login_too_old")


async def _refresh(app: FastAPI, client: httpx.AsyncClient, profile: Profile, database: Database) -> str:
    """An access token of a login that was long ago."""
    refresh_token = app.state.refresh_chain.create_token()
    async with database.transaction() as session:
        session_id = (await session.scalars(select(LoginSession.id).filter_by(profile_id=profile.id))).one()
        its_token = update(RefreshToken).where(RefreshToken.session_id == session_id)
        await session.execute(its_token.values(digest=compute_digest(refresh_token)))
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return str((await client.post("/auth/token", data=form)).json()["access_token"])
