"""Strangers who guess lock out strangers, not the owner."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.devices.models import KnownDevice
from auth.limits.config import LimitsConfig
from auth.locks.models import LoginLock
from auth.locks.service import tell_of_locks
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent

CreateProfile = Callable[..., Awaitable[Profile]]
CreateClientAt = Callable[[FastAPI, str], httpx.AsyncClient]
RequestToken = Callable[..., Awaitable[httpx.Response]]

WRONG = "Wrong-Horse-8-Battery"
HOME = "198.51.100.7"


@pytest.fixture
async def email(committed_database: Database, create_profile: CreateProfile) -> str:
    profile = await create_profile(committed_database)
    return f"{profile.username}@people.example"


@pytest.fixture
async def home(
    limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken, email: str
) -> httpx.AsyncClient:
    """The owner's browser, which has logged in before."""
    client = create_client_at(limited_app, HOME)
    assert (await request_token(client, username=email)).status_code == 200
    return client


class CountedHashing:
    """How many passwords were looked at."""

    def __init__(self, app: FastAPI) -> None:
        self.count = 0
        self._verify = app.state.hashing.verify_password
        self.needs_rehash = app.state.hashing.needs_rehash
        app.state.hashing = self

    async def verify_password(self, password: str, password_hash: str | None) -> bool:
        self.count += 1
        is_valid: bool = await self._verify(password, password_hash)
        return is_valid


class TestDistributedGuesser:
    @pytest.fixture
    def rates(self) -> dict[str, str]:
        """As they are by default: this is what they are for."""
        return {name: field.default for name, field in LimitsConfig.model_fields.items()}

    @pytest.mark.timeout(300)
    async def test_ten_thousand_guesses_from_a_thousand_addresses(
        self,
        limited_app: FastAPI,
        home: httpx.AsyncClient,
        create_client_at: CreateClientAt,
        request_token: RequestToken,
        email: str,
    ) -> None:
        hashing = CountedHashing(limited_app)
        first = int(ipaddress.ip_address("203.0.0.0"))
        clients = [create_client_at(limited_app, str(ipaddress.ip_address(first + number))) for number in range(1000)]

        async def guess(client: httpx.AsyncClient) -> list[int]:
            return [(await request_token(client, username=email, password=WRONG)).status_code for _ in range(10)]

        answers: list[int] = []
        for start in range(0, 1000, 50):
            for codes in await asyncio.gather(*(guess(client) for client in clients[start : start + 50])):
                answers += codes
        assert len(answers) == 10_000
        assert set(answers) == {401, 429}
        assert hashing.count == answers.count(401) <= 100
        assert (await request_token(home, username=email)).status_code == 200
        assert (await request_token(clients[0], username=email)).status_code == 429


class TestAccountBucket:
    async def test_refusal_says_when(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken, email: str
    ) -> None:
        client = create_client_at(limited_app, "203.0.113.9")
        codes = [(await request_token(client, username=email, password=WRONG)).status_code for _ in range(5)]
        refused = await request_token(client, username=email)
        assert codes == [401] * 5
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.json()["error"]
        assert 0 < int(refused.headers["Retry-After"]) <= 900
        assert refused.headers["RateLimit-Policy"] == '"login-account";q=5;w=900'

    async def test_address_that_nobody_has_is_refused_alike(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken, email: str
    ) -> None:
        answers = []
        for username in (email, "nobody@people.example"):
            client = create_client_at(limited_app, "203.0.113.9")
            responses = [await request_token(client, username=username, password=WRONG) for _ in range(7)]
            answers.append([(response.status_code, response.json()["code"]) for response in responses])
        assert answers[0] == answers[1]

    async def test_spelling_is_no_way_round(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken, email: str
    ) -> None:
        client = create_client_at(limited_app, "203.0.113.9")
        spellings = (email, email.upper(), f" {email}", f"{email} ", email.title())
        codes = [(await request_token(client, username=name, password=WRONG)).status_code for name in spellings]
        assert codes == [401] * 5
        assert (await request_token(client, username=email)).status_code == 429

    async def test_what_succeeds_does_not_count(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken, email: str
    ) -> None:
        for number in range(12):
            client = create_client_at(limited_app, f"203.0.113.{number}")
            assert (await request_token(client, username=email)).status_code == 200

    async def test_many_at_once(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken, email: str
    ) -> None:
        """As many as there is room for are looked at, whoever comes first."""
        hashing = CountedHashing(limited_app)
        clients = [create_client_at(limited_app, f"203.0.113.{number}") for number in range(40)]
        responses = await asyncio.gather(*(request_token(client, username=email, password=WRONG) for client in clients))
        assert sorted({response.status_code for response in responses}) == [401, 429]
        assert hashing.count == 5

    async def test_busy_hashing_does_not_count(
        self,
        limited_app: FastAPI,
        create_client_at: CreateClientAt,
        request_token: RequestToken,
        keep_hashing_busy: Callable[[FastAPI], AbstractContextManager[None]],
        email: str,
    ) -> None:
        client = create_client_at(limited_app, "203.0.113.9")
        with keep_hashing_busy(limited_app):
            codes = [(await request_token(client, username=email)).status_code for _ in range(7)]
        assert codes == [503] * 7
        assert (await request_token(client, username=email)).status_code == 200


class TestAddressBucket:
    @pytest.fixture
    def rates(self) -> dict[str, str]:
        return {"login_address": "3/minute"}

    async def test_over_all_accounts(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken
    ) -> None:
        client = create_client_at(limited_app, "203.0.113.9")
        names = [f"somebody-{number}@people.example" for number in range(4)]
        codes = [(await request_token(client, username=name, password=WRONG)).status_code for name in names]
        assert codes == [401, 401, 401, 429]
        elsewhere = create_client_at(limited_app, "203.0.113.10")
        assert (await request_token(elsewhere, username=names[0], password=WRONG)).status_code == 401

    async def test_a_customers_network_of_ipv6_is_one_address(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken
    ) -> None:
        codes = []
        for number in range(4):
            client = create_client_at(limited_app, f"2001:db8:1:2::{number}")
            name = f"somebody-{number}@people.example"
            codes.append((await request_token(client, username=name, password=WRONG)).status_code)
        assert codes == [401, 401, 401, 429]


class TestKnownDevice:
    async def lock(self, app: FastAPI, client: httpx.AsyncClient, email: str, request_token: RequestToken) -> None:
        assert app.state.rate_limiter
        for _ in range(6):
            await request_token(client, username=email, password=WRONG)
        assert (await request_token(client, username=email)).status_code == 429

    async def test_owner_gets_in_while_strangers_guess(
        self,
        limited_app: FastAPI,
        home: httpx.AsyncClient,
        create_client_at: CreateClientAt,
        request_token: RequestToken,
        email: str,
    ) -> None:
        await self.lock(limited_app, create_client_at(limited_app, "203.0.113.9"), email, request_token)
        for _ in range(10):
            assert (await request_token(home, username=email)).status_code == 200

    async def test_stolen_device_does_not_guess_for_long(
        self, home: httpx.AsyncClient, request_token: RequestToken, email: str
    ) -> None:
        codes = [(await request_token(home, username=email, password=WRONG)).status_code for _ in range(7)]
        assert codes == [401] * 5 + [429] * 2

    async def test_known_to_another_account_is_a_stranger(
        self,
        limited_app: FastAPI,
        committed_database: Database,
        create_profile: CreateProfile,
        create_client_at: CreateClientAt,
        request_token: RequestToken,
        home: httpx.AsyncClient,
        email: str,
    ) -> None:
        other = await create_profile(committed_database)
        other_email = f"{other.username}@people.example"
        await self.lock(limited_app, create_client_at(limited_app, "203.0.113.9"), other_email, request_token)
        assert (await request_token(home, username=other_email)).status_code == 429
        assert (await request_token(home, username=email)).status_code == 200

    async def test_forgotten_device_is_a_stranger(
        self,
        limited_app: FastAPI,
        committed_database: Database,
        home: httpx.AsyncClient,
        create_client_at: CreateClientAt,
        request_token: RequestToken,
        email: str,
    ) -> None:
        await self.lock(limited_app, create_client_at(limited_app, "203.0.113.9"), email, request_token)
        async with committed_database.transaction() as session:
            await session.execute(update(KnownDevice).values(seen_at=func.now() - func.make_interval(1, 1)))
        assert (await request_token(home, username=email)).status_code == 429

    async def test_app_without_cookies_shows_its_token(
        self, limited_app: FastAPI, create_client_at: CreateClientAt, request_token: RequestToken, email: str
    ) -> None:
        client = create_client_at(limited_app, "203.0.113.9")
        token = (await request_token(client, username=email, delivery="body")).json()["device_token"]
        await self.lock(limited_app, client, email, request_token)
        answer = await request_token(client, username=email, delivery="body", device_token=token)
        assert (answer.status_code, answer.json()["device_token"]) == (200, token)
        forged = await request_token(client, username=email, delivery="body", device_token=token.swapcase())
        assert forged.status_code == 429


class TestTellOfLocks:
    async def list_notices(self, database: Database) -> list[str]:
        async with database.transaction() as session:
            rows = await session.scalars(select(OutboxEvent.payload))
            return [row["kind"] for row in rows if row.get("kind") == "login_locked"]

    async def test_owner_is_told_once_a_day(
        self,
        limited_app: FastAPI,
        committed_database: Database,
        create_client_at: CreateClientAt,
        request_token: RequestToken,
        email: str,
    ) -> None:
        client = create_client_at(limited_app, "203.0.113.9")
        for username in (email, "nobody@people.example"):
            for _ in range(7):
                await request_token(client, username=username, password=WRONG)
        async with committed_database.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(LoginLock))).one() == 2
        for _ in range(2):
            async with committed_database.transaction() as session:
                await tell_of_locks(session)
        assert await self.list_notices(committed_database) == ["login_locked"]
        async with committed_database.transaction() as session:
            profile_id = (await session.scalars(select(Profile.id))).one()
            session.add(LoginLock(profile_id=profile_id))
        async with committed_database.transaction() as session:
            assert await tell_of_locks(session) == 1
            assert await tell_of_locks(session) == 0
        assert await self.list_notices(committed_database) == ["login_locked"]

    async def test_two_at_once(self, committed_database: Database, create_profile: CreateProfile) -> None:
        for _ in range(5):
            profile = await create_profile(committed_database)
            async with committed_database.transaction() as session:
                session.add(LoginLock(profile_id=profile.id))

        async def tell() -> None:
            async with committed_database.transaction() as session:
                await tell_of_locks(session)

        await asyncio.gather(tell(), tell(), tell())
        assert await self.list_notices(committed_database) == ["login_locked"] * 5
