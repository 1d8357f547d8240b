"""An app with a feed, and a way to tell events into it with real commits."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from chassis.app import ServiceSpec, create_app
from chassis.config import AppConfig, Environment
from chassis.contracts.posts import PostPublished
from chassis.database.engine import Database
from chassis.events.feed import create_feed_router
from chassis.events.outbox import emit_event
from chassis.events.waker import FeedWaker

if TYPE_CHECKING:
    from chassis.testing.tokens import TokenSigner

Emit = Callable[..., Awaitable[None]]


def create_post_published(title: str = "title") -> PostPublished:
    return PostPublished(post_id=uuid.uuid4(), creator_id=uuid.uuid4(), title=title, excerpt="")


@pytest.fixture
def emit(committed_database: Database) -> Emit:
    """Emit one `post.published` for each title, all in one transaction."""

    async def emit_titles(*titles: str) -> None:
        async with committed_database.transaction() as session:
            for number, title in enumerate(titles, start=1):
                await emit_event(session, create_post_published(title), aggregate_id=uuid.uuid4(), aggregate_seq=number)

    return emit_titles


@pytest.fixture
async def app(committed_database: Database, signer: "TokenSigner") -> AsyncIterator[FastAPI]:
    @asynccontextmanager
    async def open_feed(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = committed_database
        app.state.token_verifier = signer.verifier()
        async with FeedWaker(committed_database) as app.state.feed_waker:
            await app.state.feed_waker.listener.connected.wait()
            yield

    spec = ServiceSpec(name="feed", description="", router=create_feed_router(), lifespan=open_feed)
    app = create_app(spec, AppConfig(environment=Environment.LOCAL))
    async with LifespanManager(app):
        yield app


@pytest.fixture
def token(signer: "TokenSigner") -> dict[str, str]:
    """The header of a service that may read events."""
    return {"Authorization": f"Bearer {signer.issue_service_token('notifications', ['events:read'])}"}
