"""`POST /auth/token` with the code of an authorization: what an app of somebody else gets its tokens by."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.accounts.models import Account
from auth.audit.models import AuditEntry
from auth.background import prune_all
from auth.codes.constants import CODE_KEPT
from auth.codes.models import AppCode
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession
from chassis.database.engine import Database
from chassis.logs import configure_logging
from chassis.testing.databases import RolledBackDatabase

TOKEN = "/auth/token"
Headers = dict[str, str]


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def other(database: RolledBackDatabase, register_app: Callable[..., Awaitable[Any]]) -> Any:
    return await register_app(database)


@pytest.fixture
async def browser(app: FastAPI, profile: Profile, log_in_browser: Callable[..., Awaitable[Headers]]) -> Headers:
    return await log_in_browser(app, profile)


@pytest.fixture
async def code(client: httpx.AsyncClient, other: Any, browser: Headers, allow: Callable[..., Awaitable[str]]) -> str:
    return await allow(client, other, browser)


async def count_open(database: Database, client_id: str) -> int:
    async with database.transaction() as session:
        query = select(func.count()).select_from(LoginSession).filter_by(client_id=client_id, revoked_at=None)
        return (await session.scalars(query)).one()


def check_refused(answer: httpx.Response, error: str, status: int = 400) -> None:
    """RFC 6749, 5.2."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error_description"].isascii()


class TestRedeem:
    async def test_valid(self, client: httpx.AsyncClient, profile: Profile, other: Any, code: str) -> None:
        answer = await client.post(TOKEN, data=other.redeem(code))
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
        assert (tokens["scope"], tokens["token_type"], tokens["expires_in"]) == ("profile:read", "bearer", 300)
        assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
        assert "set-cookie" not in answer.headers
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        assert (claims["sub"], claims["client_id"]) == (str(profile.id), other.client_id)
        assert (claims["scope"], claims["amr"], claims["acr"]) == ("profile:read", ["pwd"], "aal1")

    async def test_nothing_of_it_is_logged(
        self, capsys: pytest.CaptureFixture[str], client: httpx.AsyncClient, other: Any, code: str
    ) -> None:
        configure_logging("DEBUG")
        tokens = (await client.post(TOKEN, data=other.redeem(code))).json()
        await client.post(TOKEN, data=other.redeem(code))
        output = capsys.readouterr().out
        assert '"event": "code_reused"' in output
        for secret in (code, other.secret, other.verifier, tokens["access_token"], tokens["refresh_token"]):
            assert secret not in output

    async def test_valid_by_basic(self, client: httpx.AsyncClient, other: Any, code: str) -> None:
        pair = base64.b64encode(f"{other.client_id}:{other.secret}".encode()).decode()
        form = other.redeem(code, client_id="", client_secret="")
        answer = await client.post(TOKEN, data=form, headers={"Authorization": f"Basic {pair}"})
        assert answer.status_code == 200

    async def test_login_keeps_its_time(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, browser: Headers, allow: Any
    ) -> None:
        """What asks for a fresh login is not opened by letting an app in."""
        async with database.transaction() as session:
            old = LoginSession.authenticated_at - timedelta(hours=3)
            await session.execute(update(LoginSession).values(authenticated_at=old))
            [moment] = await session.scalars(select(LoginSession.authenticated_at))
        tokens = (await client.post(TOKEN, data=other.redeem(await allow(client, other, browser)))).json()
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        assert claims["auth_time"] == int(moment.timestamp())

    async def test_code_is_kept_as_a_digest(self, database: RolledBackDatabase, code: str) -> None:
        async with database.transaction() as session:
            [row] = (await session.execute(select(AppCode.__table__))).all()
        assert code.encode() not in row.digest
        assert code not in str(row)

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"code_verifier": "x" * 43}, "invalid_grant"),
            ({"code_verifier": "short"}, "invalid_request"),
            ({"code_verifier": ""}, "invalid_request"),
            ({"code": ""}, "invalid_request"),
            ({"code": "unknown"}, "invalid_grant"),
            ({"redirect_uri": "https://reader.example/callback/"}, "invalid_grant"),
            ({"redirect_uri": ""}, "invalid_grant"),
        ],
    )
    async def test_refused(
        self, client: httpx.AsyncClient, other: Any, code: str, changes: dict[str, str], error: str
    ) -> None:
        """And the code is still good for who does it right."""
        check_refused(await client.post(TOKEN, data=other.redeem(code, **changes)), error)
        assert (await client.post(TOKEN, data=other.redeem(code))).status_code == 200

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_secret": "wrong"},
            {"client_secret": ""},
            {"client_id": ""},
            {"client_id": "posts"},
            {"client_id": "01890000-0000-7000-8000-000000000000"},
        ],
    )
    async def test_client_refused(
        self, client: httpx.AsyncClient, other: Any, code: str, changes: dict[str, str]
    ) -> None:
        answer = await client.post(TOKEN, data=other.redeem(code, **changes))
        check_refused(answer, "invalid_client", 401)
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")

    async def test_client_in_two_ways(self, client: httpx.AsyncClient, other: Any, code: str) -> None:
        pair = base64.b64encode(f"{other.client_id}:{other.secret}".encode()).decode()
        answer = await client.post(TOKEN, data=other.redeem(code), headers={"Authorization": f"Basic {pair}"})
        check_refused(answer, "invalid_request")

    async def test_parameter_twice(self, client: httpx.AsyncClient, other: Any, code: str) -> None:
        form = {**other.redeem(code), "code": [code, code]}
        check_refused(await client.post(TOKEN, data=form), "invalid_request")

    async def test_another_app(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, code: str, register_app: Any
    ) -> None:
        thief = await register_app(database, name="Thief")
        thief.verifier = other.verifier
        check_refused(await client.post(TOKEN, data=thief.redeem(code)), "invalid_grant")
        assert (await client.post(TOKEN, data=other.redeem(code))).status_code == 200

    async def test_expired(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, code: str
    ) -> None:
        async with database.transaction() as session:
            [left] = await session.scalars(select(AppCode.expires_at - func.now()))
            await session.execute(update(AppCode).values(expires_at=func.now()))
        assert left == timedelta(seconds=60)
        check_refused(await client.post(TOKEN, data=other.redeem(code)), "invalid_grant")

    async def test_banned_meanwhile(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, code: str
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(Account).values(banned_at=func.now()))
        check_refused(await client.post(TOKEN, data=other.redeem(code)), "invalid_grant")

    async def test_logged_out_meanwhile(
        self, client: httpx.AsyncClient, other: Any, browser: Headers, code: str
    ) -> None:
        """Who ends all sessions, after a theft say, leaves no code behind that would begin another."""
        assert (await client.post("/auth/logout", headers=browser)).status_code == 204
        check_refused(await client.post(TOKEN, data=other.redeem(code)), "invalid_grant")

    async def test_public_client(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, browser: Headers, register_app: Any, allow: Any
    ) -> None:
        public = await register_app(database, is_confidential=False, redirect_uris=["com.example.reader:/callback"])
        code = await allow(client, public, browser)
        check_refused(await client.post(TOKEN, data=public.redeem(code, client_secret="x")), "invalid_client", 401)
        assert (await client.post(TOKEN, data=public.redeem(code))).status_code == 200

    async def test_redirect_uri_left_out_both_times(
        self, client: httpx.AsyncClient, other: Any, browser: Headers, allow: Any
    ) -> None:
        code = await allow(client, other, browser, redirect_uri="")
        assert (await client.post(TOKEN, data=other.redeem(code, redirect_uri=""))).status_code == 200


class TestReplay:
    async def test_ends_what_was_issued(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, other: Any, code: str
    ) -> None:
        tokens = (await client.post(TOKEN, data=other.redeem(code))).json()
        assert await count_open(database, other.client_id) == 1
        check_refused(await client.post(TOKEN, data=other.redeem(code)), "invalid_grant")
        assert await count_open(database, other.client_id) == 0
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **other.credentials}
        check_refused(await client.post(TOKEN, data=form), "invalid_grant")
        async with database.transaction() as session:
            assert "code_reused" in (await session.scalars(select(AuditEntry.action))).all()

    async def test_twenty_at_once(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: Any,
        register_app: Any,
        log_in_browser: Any,
        allow: Any,
    ) -> None:
        """One gets tokens, and the others end them: nobody knows which of them was the thief."""
        other = await register_app(committed_database)
        browser = await log_in_browser(committed_app, await create_profile(committed_database))
        form = other.redeem(await allow(committed_client, other, browser))
        answers = await asyncio.gather(*(committed_client.post(TOKEN, data=form) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
        assert {answer.json().get("error") for answer in answers} == {None, "invalid_grant"}
        async with committed_database.transaction() as session:
            query = select(func.count()).select_from(LoginSession).filter_by(client_id=other.client_id)
            assert (await session.scalars(query)).one() == 1
        assert await count_open(committed_database, other.client_id) == 0

    async def test_forgotten_after_a_day(self, database: RolledBackDatabase, code: str) -> None:
        assert code
        await prune_all(database)
        async with database.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(AppCode))).one() == 1
            long_ago = AppCode.expires_at - CODE_KEPT - timedelta(minutes=2)
            await session.execute(update(AppCode).values(expires_at=long_ago))
        await prune_all(database)
        async with database.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(AppCode))).one() == 0
