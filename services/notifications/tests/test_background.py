"""The consumers as the background process runs them, on feeds that are played."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from chassis.background import get_heartbeat_path
from chassis.contracts.accounts import CreatorActivated, UserConfirmed, UserRegistered
from chassis.contracts.base import Event, EventEnvelope
from chassis.contracts.posts import CreatorFollowed, PostPublished
from chassis.database.engine import Database
from chassis.events.consumer import Consumer
from chassis.events.handlers import Handlers
from chassis.events.inbox import DeadEvent
from chassis.events.position import Position
from chassis.events.schemas import FeedPage
from chassis.jobs.broker import HintBroker
from chassis.testing.events import create_envelope
from chassis.testing.polling import wait_until
from notifications import background
from notifications.background import (
    AUTH_FEED,
    AUTH_HANDLERS,
    CONSUMER,
    POSTS_FEED,
    POSTS_HANDLERS,
    park_emails,
    run_background,
)
from notifications.deliveries.models import DeliveryEmail
from notifications.inbox.models import Notification

CountRows = Callable[..., Awaitable[int]]
Register = Callable[..., UserRegistered]


class PlayedFeed:
    """Serves all its events in one page, whatever was asked for, so that nothing but the inbox keeps them single."""

    def __init__(self, events: Sequence[Event], *, first: int = 1) -> None:
        self.envelopes: list[EventEnvelope] = [
            create_envelope(event, aggregate_seq=number).model_copy(update={"cursor": f"{number}:1"})
            for number, event in enumerate(events, start=first)
        ]

    async def get_events(self, _: Position) -> FeedPage:
        return FeedPage(items=self.envelopes, next_cursor=self.envelopes[-1].cursor)


def create_consumer(database: Database, feed: PlayedFeed, handlers: Handlers, feed_name: str) -> Consumer:
    return Consumer(database, feed, handlers, name=CONSUMER, feed_name=feed_name)


class TestConsumers:
    async def test_twice(self, committed_database: Database, register: Register, count_rows: CountRows) -> None:
        person, creator_id = register(), uuid4()
        auth = PlayedFeed([person, UserConfirmed(user_id=person.user_id)])
        posts = PlayedFeed(
            [
                CreatorFollowed(creator_id=creator_id, follower_id=person.user_id),
                PostPublished(post_id=uuid4(), creator_id=creator_id, title="On rivers", excerpt=""),
            ]
        )
        for _ in range(2):
            await create_consumer(committed_database, posts, POSTS_HANDLERS, POSTS_FEED).consume_page()
            await create_consumer(committed_database, auth, AUTH_HANDLERS, AUTH_FEED).consume_page()
        # The post came before its reader: the confirmation's mail, and the one that was missed.
        assert await count_rows(committed_database, DeliveryEmail) == 2
        assert await count_rows(committed_database, Notification) == 2

    async def test_no_business_of_ours(self, committed_database: Database, count_rows: CountRows) -> None:
        event = CreatorActivated(user_id=uuid4(), username="ada", first_name="Ada", last_name="Reyes")
        await create_consumer(committed_database, PlayedFeed([event]), AUTH_HANDLERS, AUTH_FEED).consume_page()
        assert await count_rows(committed_database, DeadEvent) == 0

    async def test_poison_does_not_stop_the_line(
        self,
        committed_database: Database,
        register: Register,
        count_rows: CountRows,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        bad, good = register(email="mina@reader.example\r\nBcc: all@reader.example"), register()
        consumer = create_consumer(committed_database, PlayedFeed([bad, good]), AUTH_HANDLERS, AUTH_FEED)
        running = asyncio.create_task(consumer.run())
        is_good = Notification.recipient_id == good.user_id
        try:
            await wait_until(lambda: count_rows(committed_database, Notification, is_good))
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        async with committed_database.transaction() as session:
            dead = (await session.scalars(select(DeadEvent))).one()
        assert dead.envelope["payload"]["user_id"] == str(bad.user_id)
        assert "AddressUnusableError" in dead.error
        assert "reader.example" not in dead.error + caplog.text


class RecordingBroker(HintBroker):
    closed = 0

    def close(self) -> None:
        super().close()
        RecordingBroker.closed += 1


class TestRunBackground:
    async def test_starts_while_all_others_are_away(
        self, committed_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        config = committed_database.config
        monkeypatch.setenv("DATABASE_PORT", str(config.port))
        monkeypatch.setenv("DATABASE_NAME", config.name)
        monkeypatch.setenv("DATABASE_USER", config.user)
        monkeypatch.setenv("DATABASE_PASSWORD", config.password.get_secret_value())
        monkeypatch.setenv("AUTH_URL", "http://127.0.0.1:1")
        monkeypatch.setenv("POSTS_URL", "http://127.0.0.1:1")
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        monkeypatch.setattr(background, "HintBroker", RecordingBroker)
        running = asyncio.create_task(run_background())

        async def is_alive() -> bool:
            return get_heartbeat_path("notifications").exists()

        try:
            await wait_until(is_alive)
            assert not running.done()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        assert not get_heartbeat_path("notifications").exists()
        assert RecordingBroker.closed == 1


class TestParkEmails:
    async def test_valid(
        self,
        committed_database: Database,
        register: Register,
        apply: Callable[..., Awaitable[None]],
        count_rows: CountRows,
    ) -> None:
        await apply(register(), to=committed_database)
        ago = func.now() - timedelta(seconds=5)
        async with committed_database.transaction() as session:
            await session.execute(
                update(DeliveryEmail).values(state="running", policy="at_most_once", lease_ends_at=ago, dot_at=ago)
            )
        await park_emails(committed_database)
        assert await count_rows(committed_database, DeliveryEmail, DeliveryEmail.state == "unknown")
