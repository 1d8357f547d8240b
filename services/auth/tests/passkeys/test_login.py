"""Logging in with a passkey alone: `POST /auth/passkeys/authentication/options` and `POST /auth/token`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.accounts.models import Account
from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.passkeys.models import Passkey
from auth.passkeys.schemas import AuthenticationOptionsRead
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession
from chassis.database.engine import Database
from chassis.testing.authenticator import Algorithm, SoftAuthenticator, decode, encode
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

Json = dict[str, Any]
Headers = dict[str, str]
Begin = Callable[..., Awaitable[Json]]
Answer = Callable[..., Awaitable[httpx.Response]]
List = Callable[[Database], Awaitable[Any]]

OPTIONS = "/auth/passkeys/authentication/options"
REFUSED = (401, "passkey_refused", "invalid_grant")


def read(response: httpx.Response) -> tuple[int, str, str]:
    return response.status_code, response.json()["code"], response.json()["error"]


async def count_sessions(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(LoginSession))).one()


@pytest.fixture
async def authenticator(
    client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, add_passkey: Answer
) -> SoftAuthenticator:
    """With one that is registered."""
    assert (await add_passkey(client, headers, authenticator)).status_code == 201
    return authenticator


class TestCreateAuthenticationOptions:
    async def test_valid(self, client: httpx.AsyncClient) -> None:
        response = await client.post(OPTIONS)
        assert response.status_code == 200
        options = AuthenticationOptionsRead.model_validate_json(response.content)
        assert (options.rp_id, options.allowed, options.timeout) == ("broadsheet.example", [], 300_000)
        assert len(decode(options.challenge)) == 32

    async def test_tells_nothing_of_who_is_registered(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers
    ) -> None:
        """Whoever asks, and whatever they send along, gets the same by the same statements."""
        seen = []
        for who in (None, headers, {"Cookie": "__Host-device=x"}):
            with record_statements(database) as statements:
                answer = await client.post(OPTIONS, headers=who)
            seen.append((answer.json() | {"challenge": ""}, statements))
        assert seen[0] == seen[1] == seen[2]

    async def test_too_often(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        app.state.rate_limiter = RateLimiter(LimitsConfig(passkey="12/minute"), b"", None)
        statuses = [(await client.post(OPTIONS)).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]


class TestCreateToken:
    @pytest.mark.parametrize("algorithm", list(Algorithm))
    @pytest.mark.parametrize("is_synced", [True, False])
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        profile: Profile,
        headers: Headers,
        add_passkey: Answer,
        log_in: Answer,
        algorithm: Algorithm,
        is_synced: bool,
    ) -> None:
        authenticator = SoftAuthenticator("https://broadsheet.example", algorithm, is_synced)
        await add_passkey(client, headers, authenticator)
        answers = [await log_in(client, authenticator) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3
        tokens = answers[-1].json()
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        assert (claims["sub"], claims["amr"], claims["acr"]) == (str(profile.id), ["pop", "user", "mfa"], "aal2")
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        current, *_ = (await client.get("/auth/sessions", headers=bearer)).json()["items"]
        assert (current["is_current"], current["acr"]) == (True, "aal2")
        assert (await client.get("/auth/passkeys", headers=bearer)).json()["items"][0]["used_at"] is not None
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        refreshed = (await client.post("/auth/token", data=form)).json()["access_token"]
        assert jwt.decode(refreshed, options={"verify_signature": False})["acr"] == "aal2"

    async def test_cookie(
        self, client: httpx.AsyncClient, authenticator: SoftAuthenticator, begin: Begin, show: Answer
    ) -> None:
        """As after a password: the refresh token and what the device is known by, from our own pages alone."""
        assertion = authenticator.get(await begin(client))
        form = {"delivery": "cookie"}
        foreign = await show(client, assertion, {"Sec-Fetch-Site": "cross-site"}, **form)
        assert (foreign.status_code, foreign.json()["code"]) == (403, "cross_site_refused")
        response = await show(client, assertion, {"Sec-Fetch-Site": "same-origin"}, **form)
        assert response.status_code == 200
        assert "refresh_token" not in response.json()
        cookies = response.headers.get_list("set-cookie")
        assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-refresh_token", "__Host-device"}

    async def test_new_device_is_told_once(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        authenticator: SoftAuthenticator,
        log_in: Answer,
        list_notices: List,
    ) -> None:
        assert (await log_in(client, authenticator)).status_code == 200
        device_token = (await log_in(client, authenticator)).json()["device_token"]
        assert await list_notices(database) == ["second_factor_added", "new_device"]
        assert (await log_in(client, authenticator, device_token=device_token)).status_code == 200
        assert (await list_notices(database)).count("new_device") == 1

    async def test_audit(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        authenticator: SoftAuthenticator,
        log_in: Answer,
        list_entries: List,
    ) -> None:
        await log_in(client, authenticator)
        authenticator.origin = "https://evil.example"
        await log_in(client, authenticator)
        authenticator.credentials[0].id = b"nobody's"
        await log_in(client, authenticator)
        expected = [("login_succeeded", True), ("login_failed", True), ("login_failed", False)]
        assert (await list_entries(database))[-3:] == expected

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("origin", "https://broadsheet.example.evil.example"),
            ("origin", "http://broadsheet.example"),
            ("rp_id", "evil.example"),
            ("verifies_user", False),
            ("is_in_frame", True),
        ],
    )
    async def test_wrong(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        authenticator: SoftAuthenticator,
        log_in: Answer,
        field: str,
        value: object,
    ) -> None:
        before = await count_sessions(database)
        setattr(authenticator, field, value)
        assert read(await log_in(client, authenticator)) == REFUSED
        assert await count_sessions(database) == before

    async def test_replayed(
        self, client: httpx.AsyncClient, authenticator: SoftAuthenticator, begin: Begin, show: Answer
    ) -> None:
        options = await begin(client)
        first, second = authenticator.get(options), authenticator.get(options)
        assert (await show(client, first)).status_code == 200
        assert read(await show(client, first)) == REFUSED
        assert read(await show(client, second)) == REFUSED

    async def test_challenge_is_spent_by_what_is_wrong(
        self, client: httpx.AsyncClient, authenticator: SoftAuthenticator, begin: Begin, show: Answer
    ) -> None:
        right = authenticator.get(await begin(client))
        assert read(await show(client, flip(right, "signature"))) == REFUSED
        assert read(await show(client, right)) == REFUSED

    async def test_expired_challenge(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        authenticator: SoftAuthenticator,
        begin: Begin,
        show: Answer,
        let_challenges_expire: Callable[[Database], Awaitable[None]],
    ) -> None:
        assertion = authenticator.get(await begin(client))
        await let_challenges_expire(database)
        assert read(await show(client, assertion)) == REFUSED

    async def test_challenge_of_our_own_making(
        self,
        client: httpx.AsyncClient,
        headers: Headers,
        authenticator: SoftAuthenticator,
        begin: Begin,
        show: Answer,
    ) -> None:
        """One that was never given, and one that was given for a registration."""
        options = await begin(client)
        for challenge in (encode(b"x" * 32), (await begin(client, headers))["challenge"]):
            assertion = authenticator.get(options | {"challenge": challenge})
            assert read(await show(client, assertion)) == REFUSED

    async def test_foreign_credential(
        self,
        client: httpx.AsyncClient,
        headers: Headers,
        authenticator: SoftAuthenticator,
        begin: Begin,
        show: Answer,
    ) -> None:
        """One that nobody registered, under its own id and under that of one that somebody did."""
        [known] = authenticator.credentials
        stranger = SoftAuthenticator(authenticator.origin)
        stranger.create(await begin(client, headers))
        assert read(await show(client, stranger.get(await begin(client)))) == REFUSED
        stranger.credentials[0].id = known.id
        assert read(await show(client, stranger.get(await begin(client)))) == REFUSED

    @pytest.mark.parametrize("handle", [b"", b"x" * 16])
    async def test_of_somebody_else_as_it_says(
        self, client: httpx.AsyncClient, authenticator: SoftAuthenticator, log_in: Answer, handle: bytes
    ) -> None:
        authenticator.credentials[0].user_handle = handle
        response = await log_in(client, authenticator)
        assert response.status_code in {400, 401}
        assert "access_token" not in response.json()

    @pytest.mark.parametrize("part", ["signature", "authenticatorData", "clientDataJSON"])
    async def test_flipped_bit(
        self,
        client: httpx.AsyncClient,
        authenticator: SoftAuthenticator,
        begin: Begin,
        show: Answer,
        part: str,
    ) -> None:
        assert read(await show(client, flip(authenticator.get(await begin(client)), part))) == REFUSED

    async def test_removed(
        self,
        client: httpx.AsyncClient,
        headers: Headers,
        authenticator: SoftAuthenticator,
        begin: Begin,
        show: Answer,
    ) -> None:
        assertion = authenticator.get(await begin(client))
        [passkey] = (await client.get("/auth/passkeys", headers=headers)).json()["items"]
        await client.delete(f"/auth/passkeys/{passkey['id']}", headers=headers)
        assert read(await show(client, assertion)) == REFUSED

    @pytest.mark.parametrize("assertion", ["", "{", "[]", "null", '{"id": 1}', "é" * 100, "[" * 5000])
    async def test_malformed(self, client: httpx.AsyncClient, assertion: str) -> None:
        form = {"grant_type": "urn:broadsheet:params:oauth:grant-type:passkey", "assertion": assertion}
        response = await client.post("/auth/token", data=form)
        assert read(response) == (400, "token_request_invalid", "invalid_request")

    async def test_incomplete(self, client: httpx.AsyncClient) -> None:
        form = {"grant_type": "urn:broadsheet:params:oauth:grant-type:passkey"}
        assert read(await client.post("/auth/token", data=form))[0] == 400


class TestCount:
    @pytest.mark.parametrize("back", [1, 2])
    async def test_that_goes_back(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        authenticator: SoftAuthenticator,
        log_in: Answer,
        list_entries: List,
        list_notices: List,
        back: int,
    ) -> None:
        """There are two of this key: none gets in by the older, and its owner hears of it."""
        for _ in range(3):
            assert (await log_in(client, authenticator)).status_code == 200
        authenticator.credentials[0].count -= back
        assert read(await log_in(client, authenticator)) == REFUSED
        assert (await list_entries(database))[-2:] == [("passkey_copied", True), ("login_failed", True)]
        assert (await list_notices(database))[-1] == "passkey_copied"
        async with database.transaction() as session:
            assert (await session.scalars(select(Passkey.sign_count))).one() == 3

    async def test_that_nobody_signed(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        authenticator: SoftAuthenticator,
        log_in: Answer,
        begin: Begin,
        show: Answer,
        list_notices: List,
    ) -> None:
        """Who has not the key cannot make its owner believe that somebody has."""
        await log_in(client, authenticator)
        authenticator.credentials[0].count -= 1
        assert read(await show(client, flip(authenticator.get(await begin(client)), "signature"))) == REFUSED
        assert "passkey_copied" not in await list_notices(database)


class TestAccount:
    @pytest.mark.parametrize(
        ("values", "code"),
        [({"banned_at": func.now()}, "account_banned"), ({"confirmed_at": None}, "email_not_confirmed")],
    )
    async def test_forbidden(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        authenticator: SoftAuthenticator,
        log_in: Answer,
        list_entries: List,
        values: Json,
        code: str,
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(Account).values(**values))
        assert read(await log_in(client, authenticator)) == (403, code, "invalid_grant")
        assert (await list_entries(database))[-1] == ("login_failed", True)

    async def test_too_often(
        self, app: FastAPI, client: httpx.AsyncClient, authenticator: SoftAuthenticator, log_in: Answer
    ) -> None:
        app.state.rate_limiter = RateLimiter(LimitsConfig(login_address="12/minute"), b"", None)
        statuses = [(await log_in(client, authenticator)).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]


class TestAtOnce:
    async def test_one_challenge(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: Callable[..., Awaitable[Profile]],
        login: Callable[..., Awaitable[Headers]],
        add_passkey: Answer,
        begin: Begin,
        show: Answer,
    ) -> None:
        """Signed anew each time, with a count that goes on: the challenge alone tells them apart."""
        headers = await login(committed_app, await create_profile(committed_database))
        authenticator = SoftAuthenticator("https://broadsheet.example")
        await add_passkey(committed_client, headers, authenticator)
        options = await begin(committed_client)
        assertions = [authenticator.get(options) for _ in range(10)]
        answers = await asyncio.gather(*(show(committed_client, assertion) for assertion in assertions))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9
        assert await count_sessions(committed_database) == 2

    async def test_one_count(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: Callable[..., Awaitable[Profile]],
        login: Callable[..., Awaitable[Headers]],
        add_passkey: Answer,
        begin: Begin,
        show: Answer,
        list_notices: List,
    ) -> None:
        """Of a key and its copy, each with a challenge of its own, one gets in."""
        headers = await login(committed_app, await create_profile(committed_database))
        authenticator = SoftAuthenticator("https://broadsheet.example")
        await add_passkey(committed_client, headers, authenticator)
        assertions = []
        for _ in range(2):
            assertions.append(authenticator.get(await begin(committed_client)))
            authenticator.credentials[0].count = 0
        answers = await asyncio.gather(*(show(committed_client, assertion) for assertion in assertions))
        assert sorted(answer.status_code for answer in answers) == [200, 401]
        assert (await list_notices(committed_database)).count("passkey_copied") == 1


def flip(assertion: Json, part: str) -> Json:
    """One bit of it; of what must stay readable one that leaves it so."""
    data = bytearray(decode(assertion["response"][part]))
    if part == "clientDataJSON":
        data = bytearray(bytes(data).replace(b'"origin": ', b'"origin" :'))
    elif part == "authenticatorData":
        data[-1] ^= 0x80
    else:
        data[-1] ^= 1
    return assertion | {"response": assertion["response"] | {part: encode(bytes(data))}}
