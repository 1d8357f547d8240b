"""The notifications service under test: its app on a database of real migrations, auth played."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from chassis.config import load_config
from chassis.contracts.accounts import UserConfirmed, UserRegistered
from chassis.contracts.base import Event
from chassis.contracts.posts import CreatorFollowed
from chassis.database.engine import Database
from chassis.http.client import ServiceClient
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.events import apply_event
from chassis.testing.tokens import TokenSigner
from chassis.testing.upstreams import INSTANT, ScriptedUpstream
from notifications.background import AUTH_HANDLERS, POSTS_HANDLERS
from notifications.config import MIGRATIONS
from notifications.confirmations.client import ConfirmationsClient
from notifications.deliveries.models import DeliveryEmail
from notifications.main import create_app

ENVIRONMENT = {
    "ENVIRONMENT": "local",
    "DATABASE_HOST": "127.0.0.1",
    "DATABASE_NAME": "notifications",
    "DATABASE_USER": "notifications",
    "DATABASE_PASSWORD": "not-used",
    "AUTH_URL": "http://auth.example",
    "POSTS_URL": "http://posts.example",
    "SERVICE_CLIENT_ID": "notifications",
    "SERVICE_CLIENT_SECRET": "not-used",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "MAIL_FROM": "Broadsheet <no-reply@mail.example>",
    "PUBLIC_URL": "https://broadsheet.example",
}
TOKEN = "kY3Jt0uWcVqQm2bX8nFhRzL5sPdGa7Te_-1xOvCwE9A"

Headers = dict[str, str]
Apply = Callable[..., Awaitable[None]]
AddReader = Callable[..., Awaitable[UserRegistered]]

USER_SCOPES = ("notifications:read", "notifications:write")
"""What every login to an app of ours covers here."""


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


@pytest.fixture
def auth() -> ScriptedUpstream:
    """The auth service, which knows every confirmation until a test says otherwise."""
    return ScriptedUpstream().answer(json={"token": TOKEN, "expires_at": "2026-11-24T08:05:00.000000Z"})


@pytest.fixture
async def build_app(auth: ScriptedUpstream, signer: TokenSigner) -> AsyncIterator[Callable[[Database], FastAPI]]:
    """The app as its lifespan would set it up, on a given database."""
    async with ServiceClient("auth", "http://auth.example", policy=INSTANT, backend=auth.backend) as client:

        def build(database: Database) -> FastAPI:
            app = create_app()
            app.state.database = database
            app.state.token_verifier = signer.verifier()
            app.state.confirmations = ConfirmationsClient(client)
            return app

        yield build


@pytest.fixture
def app(build_app: Callable[[Database], FastAPI], database: RolledBackDatabase) -> FastAPI:
    return build_app(database)


@pytest.fixture
def committed_client(
    build_app: Callable[[Database], FastAPI],
    committed_database: Database,
    create_client: Callable[[FastAPI], httpx.AsyncClient],
) -> httpx.AsyncClient:
    """Of an app with several connections and real commits, for races."""
    return create_client(build_app(committed_database))


@pytest.fixture
def login(signer: TokenSigner) -> Callable[[UUID], Headers]:
    def create_headers(user_id: UUID) -> Headers:
        return {"Authorization": f"Bearer {signer.issue_user_token(user_id, scopes=USER_SCOPES)}"}

    return create_headers


@pytest.fixture
def worker(signer: TokenSigner) -> Headers:
    """The headers of the worker."""
    return {"Authorization": f"Bearer {signer.issue_service_token('worker', ['jobs:work'])}"}


@pytest.fixture
def apply(database: RolledBackDatabase) -> Apply:
    """What the consumers do with an event, once for each call, on the rolled back database unless another is given."""

    async def apply_once(event: Event, *, seq: int = 1, to: Database = database) -> None:
        async with to.transaction() as session:
            await apply_event(session, {**AUTH_HANDLERS, **POSTS_HANDLERS}, event, aggregate_seq=seq)

    return apply_once


@pytest.fixture
def register() -> Callable[..., UserRegistered]:
    """The event of somebody's registration."""
    return create_registration


@pytest.fixture
def add_reader(apply: Apply) -> AddReader:
    """A confirmed reader, unless said otherwise, who follows `follows`."""

    async def add(*, confirmed: bool = True, follows: UUID | None = None, **fields: Any) -> UserRegistered:
        event = create_registration(**fields)
        await apply(event)
        if confirmed:
            await apply(UserConfirmed(user_id=event.user_id), seq=2)
        if follows is not None:
            await apply(CreatorFollowed(creator_id=follows, follower_id=event.user_id))
        return event

    return add


def create_registration(**fields: Any) -> UserRegistered:
    user_id = uuid4()
    values: dict[str, Any] = {
        "user_id": user_id,
        "email": f"mina-{user_id.hex[:12]}@reader.example",
        "username": f"mina-{user_id.hex[:12]}",
        "first_name": "Mina",
        "last_name": "Okafor",
        "confirmation_id": uuid4(),
    }
    return UserRegistered(**(values | fields))


@pytest.fixture
def get_emails() -> Callable[..., Awaitable[list[DeliveryEmail]]]:
    async def get(database: Database, *where: Any) -> list[DeliveryEmail]:
        async with database.transaction() as session:
            return list(await session.scalars(select(DeliveryEmail).where(*where).order_by(DeliveryEmail.dedupe_key)))

    return get


@pytest.fixture
def count_rows() -> Callable[..., Awaitable[int]]:
    async def count(database: Database, model: type[Any], *where: Any) -> int:
        async with database.transaction() as session:
            return await session.scalar(select(func.count()).select_from(model).where(*where)) or 0

    return count
