"""`POST /auth/token` with a refresh token: rotation, lost answers, theft, and other sites."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import jwt
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from auth.audit.models import AuditEntry
from auth.background import prune_all
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession, RefreshToken
from auth.sessions.service import OpenSession
from auth.sessions.utils import RefreshChain, compute_digest
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.polling import wait_until

REFRESH_COOKIE = "__Host-refresh_token"
DAY = 24 * 3600

AsCookie = Callable[[str], dict[str, str]]
LetTimePass = Callable[..., Awaitable[None]]


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    """As a client without cookies."""
    client.cookies.clear()
    return await client.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})


async def refresh_by_cookie(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    client.cookies.clear()
    return await client.post("/auth/token", data={"grant_type": "refresh_token"}, headers=headers)


async def refresh_patiently(client: httpx.AsyncClient, token: str) -> httpx.Response:
    """Again when the service is busy (503): that logs nobody out, and the same token is good for it."""

    async def try_once() -> httpx.Response | None:
        response = await refresh(client, token)
        return None if response.status_code == 503 else response

    return await wait_until(try_once, seconds=9)


def read_token(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    token: str = response.json()["refresh_token"]
    return token


def assert_ended(response: httpx.Response) -> None:
    problem = response.json()
    assert (response.status_code, problem["code"], problem["error"]) == (401, "refresh_token_invalid", "invalid_grant")


async def count_generations(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(RefreshToken))).one()


@pytest.fixture
async def opened(
    app: FastAPI, profile: Profile, open_session: Callable[[FastAPI, Profile], Awaitable[OpenSession]]
) -> OpenSession:
    return await open_session(app, profile)


class TestRotation:
    async def test_valid_by_cookie(self, client: httpx.AsyncClient, opened: OpenSession, as_cookie: AsCookie) -> None:
        response = await refresh_by_cookie(client, as_cookie(opened.refresh_token))
        assert response.status_code == 200
        assert "refresh_token" not in response.json()
        new = response.cookies[REFRESH_COOKIE]
        assert new != opened.refresh_token
        claims = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
        assert (claims["sub"], claims["sid"]) == (str(opened.claims.profile_id), str(opened.id))
        assert claims["auth_time"] == int(opened.claims.authenticated_at.timestamp())
        assert (await refresh_by_cookie(client, as_cookie(new))).status_code == 200

    async def test_valid_in_the_form(self, client: httpx.AsyncClient, opened: OpenSession) -> None:
        response = await refresh(client, opened.refresh_token)
        assert read_token(response) != opened.refresh_token
        assert "set-cookie" not in response.headers

    async def test_lifetime_is_that_of_the_session(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        opened: OpenSession,
        as_cookie: AsCookie,
        let_time_pass: LetTimePass,
    ) -> None:
        token = opened.refresh_token
        for days in (13, 13):
            await let_time_pass(database, seconds=days * DAY)
            token = (await refresh_by_cookie(client, as_cookie(token))).cookies[REFRESH_COOKIE]
        await let_time_pass(database, seconds=3 * DAY)
        response = await refresh_by_cookie(client, as_cookie(token))
        assert f"Max-Age={DAY}" in response.headers["set-cookie"]
        await let_time_pass(database, seconds=DAY)
        assert_ended(await refresh_by_cookie(client, as_cookie(response.cookies[REFRESH_COOKIE])))

    @pytest.mark.parametrize(("days", "status"), [(13, 200), (14, 401)])
    async def test_not_used_for_long(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        opened: OpenSession,
        let_time_pass: LetTimePass,
        days: int,
        status: int,
    ) -> None:
        await let_time_pass(database, seconds=days * DAY)
        assert (await refresh(client, opened.refresh_token)).status_code == status

    async def test_unknown(self, client: httpx.AsyncClient) -> None:
        assert_ended(await refresh(client, "A" * 43))
        assert_ended(await refresh_by_cookie(client, {}))

    async def test_access_token_is_no_refresh_token(self, client: httpx.AsyncClient, opened: OpenSession) -> None:
        access_token = (await refresh(client, opened.refresh_token)).json()["access_token"]
        assert_ended(await refresh(client, access_token))


class TestGrace:
    async def test_lost_answer_is_given_again(self, client: httpx.AsyncClient, opened: OpenSession) -> None:
        lost = read_token(await refresh(client, opened.refresh_token))
        again = read_token(await refresh(client, opened.refresh_token))
        assert again == lost
        assert (await refresh(client, again)).status_code == 200

    async def test_late_tab_gets_the_newest_of_the_line(self, client: httpx.AsyncClient, opened: OpenSession) -> None:
        """Otherwise its answer would put an older token into the cookie that both tabs share."""
        token = opened.refresh_token
        for _ in range(4):
            token = read_token(await refresh(client, token))
        assert read_token(await refresh(client, opened.refresh_token)) == token

    async def test_answer_repeated_after_the_grace_is_a_reuse(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        opened: OpenSession,
        let_time_pass: LetTimePass,
    ) -> None:
        newest = read_token(await refresh(client, opened.refresh_token))
        await let_time_pass(database, seconds=9)
        assert (await refresh(client, opened.refresh_token)).status_code == 200
        await let_time_pass(database, seconds=2)
        assert_ended(await refresh(client, opened.refresh_token))
        assert_ended(await refresh(client, newest))

    async def test_two_hundred_at_once_are_one_line(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: Callable[..., Awaitable[Profile]],
        open_session: Callable[[FastAPI, Profile], Awaitable[OpenSession]],
    ) -> None:
        opened = await open_session(committed_app, await create_profile(committed_database))
        requests = []
        for _ in range(200):
            requests.append(asyncio.create_task(refresh_patiently(committed_client, opened.refresh_token)))
            await asyncio.sleep(0)  # two hundred first steps in one turn of the loop would look like a stall
        answers = await asyncio.gather(*requests)
        [newest] = {read_token(answer) for answer in answers}
        assert await count_generations(committed_database) == 2
        assert (await refresh(committed_client, newest)).status_code == 200


class TestReuse:
    async def test_ends_the_family_and_no_other(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        opened: OpenSession,
        open_session: Callable[[FastAPI, Profile], Awaitable[OpenSession]],
        let_time_pass: LetTimePass,
    ) -> None:
        other = await open_session(app, profile)
        newest = read_token(await refresh(client, opened.refresh_token))
        newest = read_token(await refresh(client, newest))
        await let_time_pass(database, seconds=11)
        assert_ended(await refresh(client, opened.refresh_token))
        assert_ended(await refresh(client, newest))
        assert (await refresh(client, other.refresh_token)).status_code == 200

    async def test_owner_is_told_once(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        opened: OpenSession,
        let_time_pass: LetTimePass,
    ) -> None:
        """By mail, and in the audit log, though the answer is a refusal."""
        await refresh(client, opened.refresh_token)
        await let_time_pass(database, seconds=11)
        for _ in range(2):
            assert_ended(await refresh(client, opened.refresh_token))
        async with database.transaction() as session:
            [event] = await session.scalars(select(OutboxEvent).filter_by(type="security.noticed"))
            [entry] = await session.scalars(select(AuditEntry))
        told = (event.payload["kind"], event.payload["user_id"])
        assert told == ("session_reused", str(opened.claims.profile_id))
        assert (entry.action, entry.details) == ("session_reused", {"session_id": str(opened.id)})

    async def test_refusal_takes_no_cookie_away(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        opened: OpenSession,
        as_cookie: AsCookie,
        let_time_pass: LetTimePass,
    ) -> None:
        """The loser of a race must not clear what the winner has just been given."""
        await refresh_by_cookie(client, as_cookie(opened.refresh_token))
        await let_time_pass(database, seconds=11)
        response = await refresh_by_cookie(client, as_cookie(opened.refresh_token))
        assert_ended(response)
        assert "set-cookie" not in response.headers


class TestChain:
    @given(st.binary(min_size=32, max_size=64), st.integers(0, 8), st.integers(0, 8))
    def test_descendants_are_the_same_by_any_way(self, secret: bytes, first: int, second: int) -> None:
        chain = RefreshChain(secret)
        token = chain.create_token()
        two_steps = chain.derive_descendant(chain.derive_descendant(token, first), second)
        assert two_steps == chain.derive_descendant(token, first + second)

    @given(st.binary(min_size=32), st.binary(min_size=32))
    def test_without_the_secret_nobody_can(self, one: bytes, other: bytes) -> None:
        token = RefreshChain(one).create_token()
        same = RefreshChain(one).derive_descendant(token, 1) == RefreshChain(other).derive_descendant(token, 1)
        # HMAC pads a short key with zeros, and hashes a long one.
        assert same == (one.rstrip(b"\0") == other.rstrip(b"\0"))


SITES = [None, "same-origin", "same-site", "cross-site", "none", "nonsense"]
ORIGINS = [
    None,
    "https://broadsheet.example",
    "https://evil.example",
    "null",
    "https://broadsheet.example.evil.example",
]


class TestCrossSite:
    @pytest.mark.parametrize("site", SITES)
    @pytest.mark.parametrize("origin", ORIGINS)
    @pytest.mark.parametrize("path", ["/auth/token", "/auth/logout"])
    async def test_cookie_is_for_our_own_pages(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        opened: OpenSession,
        site: str | None,
        origin: str | None,
        path: str,
    ) -> None:
        headers = {"Cookie": f"{REFRESH_COOKIE}={opened.refresh_token}"}
        headers |= {"Sec-Fetch-Site": site} if site else {}
        headers |= {"Origin": origin} if origin else {}
        is_own = site == "same-origin" or (site is None and origin in (None, "https://broadsheet.example"))
        response = await client.post(path, data={"grant_type": "refresh_token"}, headers=headers)
        assert response.status_code in ({200, 204} if is_own else {403})
        if not is_own:
            assert response.json()["code"] == "cross_site_refused"
            assert "set-cookie" not in response.headers
            assert await count_generations(database) == 1
            assert (await refresh(client, opened.refresh_token)).status_code == 200

    async def test_form_of_a_stranger_logs_nobody_in(
        self, client: httpx.AsyncClient, email: str, request_token: Callable[..., Awaitable[httpx.Response]]
    ) -> None:
        headers = {"Sec-Fetch-Site": "cross-site"}
        response = await request_token(client, headers=headers, username=email)
        assert (response.status_code, response.json()["code"]) == (403, "cross_site_refused")
        in_body = await request_token(client, headers=headers, username=email, delivery="body")
        assert in_body.status_code == 200

    async def test_get_does_nothing(self, client: httpx.AsyncClient, opened: OpenSession, as_cookie: AsCookie) -> None:
        for path in ("/auth/token", "/auth/logout"):
            assert (await client.get(path, headers=as_cookie(opened.refresh_token))).status_code == 405


class TestPruning:
    @pytest.mark.usefixtures("opened")
    @pytest.mark.parametrize(("days", "left"), [(14, 1), (16, 0)])
    async def test_sessions_go_a_day_after_their_end(
        self, database: RolledBackDatabase, let_time_pass: LetTimePass, days: int, left: int
    ) -> None:
        await let_time_pass(database, seconds=days * DAY)
        await prune_all(database)
        async with database.transaction() as session:
            assert len((await session.scalars(select(LoginSession.id))).all()) == left
        assert await count_generations(database) == left

    async def test_digest_is_of_fixed_length(self) -> None:
        assert len(compute_digest("x" * 1000)) == 32
