"""Refreshing: the endpoint's transaction, and the endpoint itself, beside the bare statements."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any, Final

import asyncpg

from auth.keys.config import KeysConfig
from auth.keys.service import KeyRing
from auth.keys.utils import TokenIssuer
from auth.logins.service import LoginTools
from auth.main import create_limiter
from auth.passwords.config import HashingConfig
from auth.passwords.utils import PasswordHashing
from auth.sessions.queries import ROTATE_SESSION
from auth.sessions.service import DeviceInfo
from auth.sessions.utils import RefreshChain
from auth.tokens.constants import Delivery
from auth.tokens.service import RefreshGrant, TokenTools, issue_tokens
from benchmarks.auth.figures import Figure, Sample, Turns, take_turns
from benchmarks.auth.http import connect
from benchmarks.auth.logins import Meter
from benchmarks.auth.people import create_people
from benchmarks.auth.stack import AuthStack
from chassis.config import RedisConfig, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.security.config import TokenConfig
from chassis.security.constants import FIRST_PARTY_CLIENT

CLIENTS: Final = 8
"""As many at once on either side, each with a session of its own."""
SECONDS: Final = 2.0
ROUNDS: Final = 8
GOAL: Final = 0.5
DEVICE: Final = DeviceInfo("Bench/1.0", "127.0.0.0/24")

Refresh = Callable[[], Awaitable[None]]

# What ROTATE_SESSION does in one statement, as it is usually written.
LOCK: Final = """
    select s.*, r.generation as presented, s.expires_at - now() as left, now() as now
    from session s join session_refresh r on r.session_id = s.id
    where r.digest = $1 and s.client_id = $2 for update"""
SPEND: Final = "update session_refresh set used_at = now() where session_id = $1 and generation = $2"
ADVANCE: Final = """
    update session set generation = generation + 1, used_at = now(), idle_ends_at = now() + $2::interval,
    user_agent = $3, address = $4 where id = $1"""
ADD: Final = "insert into session_refresh (session_id, generation, digest) values ($1, $2, $3)"
IDLE: Final = timedelta(days=14)
LIMITS: Final = ("all in one statement", "statement by statement")


def compute_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def measure(refreshes: Sequence[Refresh]) -> Sample:
    meter, until = Meter(), time.perf_counter() + SECONDS

    async def refresh_on(refresh: Refresh) -> None:
        while time.perf_counter() < until:
            await refresh()
            meter.note()

    await asyncio.gather(*(refresh_on(refresh) for refresh in refreshes))
    return meter.take_sample()


class BareSession:
    """A session that is refreshed by asyncpg alone."""

    def __init__(self, pool: asyncpg.Pool, token: str) -> None:
        self._pool = pool
        self._token = token

    async def refresh_in_one_statement(self) -> None:
        child = secrets.token_urlsafe(32)
        parameters = {"digest": compute_digest(self._token), "child_digest": compute_digest(child)}
        device = {"client_id": FIRST_PARTY_CLIENT, "user_agent": DEVICE.user_agent, "address": DEVICE.address}
        row = await self._pool.fetchrow(ROTATE_SESSION.sql, *ROTATE_SESSION.bind(parameters | device))
        self._expect(row["is_rotated"])
        self._token = child

    async def refresh_step_by_step(self) -> None:
        child = secrets.token_urlsafe(32)
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(LOCK, compute_digest(self._token), FIRST_PARTY_CLIENT)
            self._expect(is_newest=row["presented"] == row["generation"] and row["revoked_at"] is None)
            await connection.execute(SPEND, row["id"], row["presented"])
            await connection.execute(ADVANCE, row["id"], IDLE, DEVICE.user_agent, DEVICE.address)
            await connection.execute(ADD, row["id"], row["generation"] + 1, compute_digest(child))
        self._token = child

    def _expect(self, is_newest: bool) -> None:
        if not is_newest:
            raise RuntimeError("the token is not its session's newest")


class ServiceSession:
    """A session that is refreshed as the route does it, without HTTP: with its access token signed."""

    def __init__(self, database: Database, tools: TokenTools, token: str) -> None:
        self._database = database
        self._tools = tools
        self._token = token

    async def refresh(self) -> None:
        async with self._database.sessions() as session:
            issued = await issue_tokens(session, self._tools, RefreshGrant(self._token, Delivery.BODY))
            await session.commit()
        if issued.refresh_token is None:
            raise RuntimeError("the session has ended")
        self._token = issued.refresh_token


async def open_tools(stack: AsyncExitStack, database: Database) -> TokenTools:
    """As the lifespan and the dependencies of the route make them."""
    keys = load_config(KeysConfig)
    hashing = stack.enter_context(PasswordHashing(load_config(HashingConfig)))
    limiter = await stack.enter_async_context(create_limiter(keys, str(load_config(RedisConfig).redis_url)))
    signing_key = await KeyRing(database.reader, keys.create_fernet()).get_signing_key()
    return TokenTools(
        reader=database.reader,
        login=LoginTools(database.reader, hashing, limiter),
        issuer=TokenIssuer(signing_key, load_config(TokenConfig)),
        chain=RefreshChain(keys.derive_secret("refresh-tokens")),
        device=DEVICE,
        address_key="address:127.0.0.1",
    )


async def open_bare_pool(stack: AsyncExitStack) -> asyncpg.Pool:
    """As many connections as the service has for these, and as it has them: not reset after each use."""
    config = load_config(DatabaseConfig)
    size = config.reader_pool_size
    dsn = config.url.set(drivername="postgresql").render_as_string(hide_password=False)
    pool = asyncpg.create_pool(dsn, min_size=size, max_size=size, reset=keep_connection)
    return await stack.enter_async_context(pool)


async def keep_connection(_: Any) -> None:
    pass


async def run(stack: AuthStack) -> list[Figure]:
    with stack.run_api() as port:
        async with AsyncExitStack() as opened:
            database = await opened.enter_async_context(Database(load_config(DatabaseConfig)))
            tools, pool = await open_tools(opened, database), await open_bare_pool(opened)
            connections = await opened.enter_async_context(connect(port, CLIENTS))
            people = await create_people(4 * CLIENTS, port)
            tokens = [person.refresh_token for person in people]
            bare = [BareSession(pool, token).refresh_in_one_statement for token in tokens[0::4]]
            steps = [BareSession(pool, token).refresh_step_by_step for token in tokens[1::4]]
            service = [ServiceSession(database, tools, token).refresh for token in tokens[2::4]]
            http = [partial(person.refresh, each) for person, each in zip(people[3::4], connections, strict=True)]
            measures = [partial(measure, refreshes) for refreshes in (bare, steps, service, http)]
            turns = await take_turns("refreshing", ROUNDS, *measures)
    return [
        describe("refresh: the transaction", turns, 2, 0),
        describe("refresh: the whole request", turns, 3, 0),
        describe("  the same", turns, 3, 1),
    ]


def describe(name: str, turns: Turns, measure_number: int, limit_number: int) -> Figure:
    """Rates, and the processor time of one in all processes; of the requests also what the client takes."""

    def show(number: int) -> str:
        return f"{turns.get_median(number):.0f} /s ({turns.get_cpu_ms(number):.2f} ms)"

    limit = f"{show(limit_number)}: asyncpg, {LIMITS[limit_number]}"
    ratio = turns.get_ratio(measure_number, limit_number)
    is_goal = not name.startswith(" ")
    goal, is_met = (f"≥ {GOAL:.0%}", ratio >= GOAL) if is_goal else ("", None)
    return Figure(name, goal, show(measure_number), limit, ratio, is_met)
