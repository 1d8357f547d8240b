"""The auth service under test: its app on a database of real migrations, with a real key, and people to log in."""

import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import argon2
import httpx
import pyotp
import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI
from sqlalchemy import func

from auth.accounts.models import Account
from auth.accounts.service import lock_account
from auth.clients.constants import DELEGABLE_SCOPES
from auth.clients.service import seed_clients
from auth.config import MIGRATIONS
from auth.keys.config import KeysConfig
from auth.keys.service import KeyRing, ensure_signing_key
from auth.keys.utils import TokenIssuer
from auth.limits.config import LimitsConfig
from auth.limits.constants import LimitRule
from auth.limits.service import RateLimiter
from auth.main import create_app
from auth.mfa.constants import Method
from auth.mfa.service import add_factor
from auth.passwords.config import HashingConfig
from auth.passwords.utils import PasswordHashing
from auth.profiles.models import Profile
from auth.sessions.service import DeviceInfo, NewSession, OpenSession, create_session
from auth.totp.models import TotpSecret
from auth.totp.utils import TotpBox
from chassis.config import load_config
from chassis.database.engine import Database
from chassis.events.waker import FeedWaker
from chassis.security.config import TokenConfig
from chassis.security.constants import FIRST_PARTY_CLIENT
from chassis.security.verifier import TokenVerifier
from chassis.testing.databases import RolledBackDatabase

PASSWORD = "Correct-Horse-7-Battery"
CLIENT_SECRETS = {name: f"{name}-secret-{secrets.token_hex(16)}" for name in ("posts", "notifications", "worker")}
ENVIRONMENT = {
    "ENVIRONMENT": "local",
    "DATABASE_HOST": "127.0.0.1",
    "DATABASE_NAME": "auth",
    "DATABASE_USER": "auth",
    "DATABASE_PASSWORD": "not-used",
    "KEYS_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    "CONFIRMATION_SECRET": "of-the-confirmations",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "PUBLIC_URL": "https://broadsheet.example",
    # Tests that are about limits set their own.
    **{f"LIMITS_{rule.name}": "100000/minute" for rule in LimitRule},
}
# Cheap, so that tests are about what is done with a hash; one test looks at the real parameters.
HASHING = HashingConfig(memory_kib=64, time_cost=1, threads=2)

Headers = dict[str, str]
TOTP_KEY = secrets.token_bytes(32)


class Authenticator:
    """Somebody's app, whose clock a test sets, and the paper with their recovery codes."""

    def __init__(self, secret: str, recovery_codes: Sequence[str], now: float) -> None:
        self.secret = secret
        self.recovery_codes = list(recovery_codes)
        self.now = now

    def show_code(self, steps: int = 0) -> str:
        """Of now, or of so many half minutes later."""
        return pyotp.TOTP(self.secret).at(self.now, counter_offset=steps)

    def read_clock(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def migrations_path() -> Path:
    return MIGRATIONS


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    load_config.cache_clear()
    yield
    load_config.cache_clear()


@pytest.fixture(scope="session")
def hashing() -> Iterator[PasswordHashing]:
    with PasswordHashing(HASHING) as opened:
        yield opened


@pytest.fixture(scope="session")
def password_hash() -> str:
    hasher = argon2.PasswordHasher(HASHING.time_cost, HASHING.memory_kib, HASHING.parallelism)
    return hasher.hash(PASSWORD)


@pytest.fixture
def build_app(hashing: PasswordHashing) -> Callable[[Database], Awaitable[FastAPI]]:
    """The app as `migrate` and its lifespan would set it up, on a given database."""

    async def build(database: Database) -> FastAPI:
        app, fernet = create_app(), load_config(KeysConfig).create_fernet()
        async with database.transaction() as session:
            await ensure_signing_key(session, fernet)
            await seed_clients(session, CLIENT_SECRETS)
        app.state.database = database
        app.state.feed_waker = FeedWaker(database)
        app.state.hashing = hashing
        app.state.rate_limiter = RateLimiter(load_config(LimitsConfig), b"of-the-limits", None)
        app.state.key_ring = KeyRing(database.reader, fernet)
        app.state.token_verifier = TokenVerifier.from_config(app.state.key_ring, load_config(TokenConfig))
        return app

    return build


@pytest.fixture
async def app(build_app: Callable[[Database], Awaitable[FastAPI]], database: RolledBackDatabase) -> FastAPI:
    return await build_app(database)


@pytest.fixture
async def committed_app(build_app: Callable[[Database], Awaitable[FastAPI]], committed_database: Database) -> FastAPI:
    return await build_app(committed_database)


@pytest.fixture
def committed_client(
    committed_app: FastAPI, create_client: Callable[[FastAPI], httpx.AsyncClient]
) -> httpx.AsyncClient:
    """Of an app with several connections and real commits, for races."""
    return create_client(committed_app)


@pytest.fixture
def client_secrets() -> dict[str, str]:
    return dict(CLIENT_SECRETS)


@pytest.fixture
def sign_up_form() -> dict[str, str]:
    """Somebody new."""
    name = secrets.token_hex(6)
    return {
        "email": f"{name}@people.example",
        "username": f"u_{name}",
        "password": PASSWORD,
        "first_name": "Mina",
        "last_name": "Okafor",
    }


@pytest.fixture
def create_profile(password_hash: str) -> Callable[..., Awaitable[Profile]]:
    """A user who can log in as `<username>@people.example` with `PASSWORD`, confirmed unless said otherwise."""

    async def create(database: Database, *, confirmed: bool = True, **fields: Any) -> Profile:
        name = f"u_{secrets.token_hex(6)}"
        profile = Profile(**{"username": name, "first_name": "Mina", "last_name": "Okafor", **fields})
        async with database.transaction() as session:
            session.add(profile)
            await session.flush()
            email = f"{profile.username.lower()}@people.example"
            confirmed_at = func.now() if confirmed else None
            session.add(
                Account(profile_id=profile.id, email=email, password_hash=password_hash, confirmed_at=confirmed_at)
            )
        return profile

    return create


@pytest.fixture
def open_session() -> Callable[..., Awaitable[OpenSession]]:
    """Logs somebody in, with a password unless said otherwise."""

    async def open_it(app: FastAPI, profile: Profile, **fields: Any) -> OpenSession:
        values: dict[str, Any] = {
            "client_id": FIRST_PARTY_CLIENT,
            "scope": " ".join(sorted(DELEGABLE_SCOPES)),
            "amr": ("pwd",),
            "acr": "aal1",
            "device": DeviceInfo("Test/1.0", "203.0.113.0/24"),
        }
        async with app.state.database.transaction() as session:
            new = NewSession(profile_id=profile.id, **(values | fields))
            return await create_session(session, app.state.refresh_chain, new)

    return open_it


@pytest.fixture
def login(open_session: Callable[..., Awaitable[OpenSession]]) -> Callable[..., Awaitable[Headers]]:
    """The headers of somebody who is logged in."""

    async def create_headers(app: FastAPI, profile: Profile, **fields: Any) -> Headers:
        issuer = TokenIssuer(await app.state.key_ring.get_signing_key(), load_config(TokenConfig))
        token = issuer.issue_user_token((await open_session(app, profile, **fields)).claims)
        return {"Authorization": f"Bearer {token}"}

    return create_headers


@pytest.fixture
def turn_on_totp() -> Callable[[FastAPI, Profile], Awaitable[Authenticator]]:
    """Gives somebody an authenticator app, and stops the clock that the service reads codes by."""

    async def turn_on(app: FastAPI, profile: Profile) -> Authenticator:
        authenticator = Authenticator("", [], time.time())
        app.state.totp_box = box = TotpBox(TOTP_KEY, authenticator.read_clock)
        authenticator.secret, encrypted = box.create_secret()
        async with app.state.database.transaction() as session:
            account = await lock_account(session, profile.id)
            assert account is not None
            added = await add_factor(session, app.state.recovery_code_digester, account, Method.TOTP)
            session.add(TotpSecret(factor_id=added.id, encrypted_secret=encrypted, last_step=0))
        authenticator.recovery_codes = added.recovery_codes
        return authenticator

    return turn_on


@pytest.fixture
def act_as_service() -> Callable[[FastAPI, str, str], Awaitable[Headers]]:
    """The headers of a service with a scope."""

    async def create_headers(app: FastAPI, client_id: str, scope: str) -> Headers:
        issuer = TokenIssuer(await app.state.key_ring.get_signing_key(), load_config(TokenConfig))
        return {"Authorization": f"Bearer {issuer.issue_service_token(client_id, scope)}"}

    return create_headers


@pytest.fixture
def keep_hashing_busy() -> Callable[[FastAPI], AbstractContextManager[None]]:
    """As many passwords wait as can."""

    @contextmanager
    def keep_busy(app: FastAPI) -> Iterator[None]:
        places, taken = app.state.hashing._places, 0
        while places.acquire(blocking=False):
            taken += 1
        try:
            yield
        finally:
            for _ in range(taken):
                places.release()

    return keep_busy


@pytest.fixture
def request_token() -> Callable[..., Awaitable[httpx.Response]]:
    """`POST /auth/token` with a form; by password unless said otherwise."""

    async def post(client: httpx.AsyncClient, *, headers: Headers | None = None, **form: str) -> httpx.Response:
        if "username" in form:
            form = {"grant_type": "password", "password": PASSWORD} | form
        return await client.post("/auth/token", data=form, headers=headers)

    return post
