"""The posts service under test: its app on a database of real migrations, auth played, and what there is to read."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func

from chassis.config import load_config
from chassis.database.engine import Database
from chassis.events.waker import FeedWaker
from chassis.http.client import ServiceClient
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.tokens import TokenSigner
from chassis.testing.upstreams import INSTANT, ScriptedUpstream
from posts.accounts.client import AccountsClient
from posts.config import MIGRATIONS
from posts.creators.models import Creator
from posts.main import create_app
from posts.posts.models import Post

ENVIRONMENT = {
    "ENVIRONMENT": "local",
    "DATABASE_HOST": "127.0.0.1",
    "DATABASE_NAME": "posts",
    "DATABASE_USER": "posts",
    "DATABASE_PASSWORD": "not-used",
    "AUTH_URL": "http://auth.example",
    "SERVICE_CLIENT_ID": "posts",
    "SERVICE_CLIENT_SECRET": "not-used",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}

Headers = dict[str, str]

USER_SCOPES = ("posts:read", "posts:write", "reviews:write", "follows:write")
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
    """The auth service, which knows nobody until a test says otherwise."""
    return ScriptedUpstream().answer(404, {"code": "profile_not_found"})


@pytest.fixture
async def build_app(auth: ScriptedUpstream, signer: TokenSigner) -> AsyncIterator[Callable[[Database], FastAPI]]:
    """The app as its lifespan would set it up, on a given database."""
    async with ServiceClient("auth", "http://auth.example", policy=INSTANT, backend=auth.backend) as client:

        def build(database: Database) -> FastAPI:
            app = create_app()
            app.state.database = database
            app.state.feed_waker = FeedWaker(database)
            app.state.accounts_client = AccountsClient(client)
            app.state.token_verifier = signer.verifier()
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
def create_profile() -> Callable[..., Awaitable[Creator]]:
    """A profile that the projection knows, a creator's unless said otherwise."""

    async def create(database: Database, **fields: Any) -> Creator:
        values = {
            "id": uuid4(),
            "username": f"user-{uuid4().hex[:12]}",
            "first_name": "Mina",
            "last_name": "Okafor",
            "is_creator": True,
            "profile_seq": 1,
        }
        creator = Creator(**(values | fields))
        async with database.transaction() as session:
            session.add(creator)
        return creator

    return create


@pytest.fixture
def create_post() -> Callable[..., Awaitable[Post]]:
    """A post as it is stored, published unless said otherwise."""

    async def create(database: Database, creator: Creator, **fields: Any) -> Post:
        values = {
            "creator_id": creator.id,
            "title": "On small houses",
            "body": "Quiet.",
            "status": "published",
            "html": "<p>Quiet.</p>",
            "excerpt": "Quiet.",
            "rendered_version": 1,
            "published_at": None if fields.get("status", "published") == "draft" else func.now(),
        }
        post = Post(**(values | fields))
        async with database.transaction() as session:
            session.add(post)
        return post

    return create
