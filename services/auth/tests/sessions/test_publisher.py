"""From the end of a session in PostgreSQL to the memory of a process, through the background process and Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI

from auth.profiles.models import Profile
from auth.sessions import service
from auth.sessions.constants import EndReason
from auth.sessions.events import RevocationPublisher
from auth.sessions.service import OpenSession
from chassis.config import load_config
from chassis.database.engine import Database
from chassis.security.config import TokenConfig
from chassis.security.revocation import SORTED_SET, RevocationFeed, create_redis
from chassis.security.verifier import TokenVerifier
from chassis.testing.polling import wait_until
from embedded.ports import get_free_port
from embedded.valkey import EmbeddedValkey


@pytest.fixture
def valkey() -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(port=get_free_port()) as server:
        yield server


@pytest.fixture
async def publisher(committed_database: Database, valkey: EmbeddedValkey) -> AsyncIterator["asyncio.Task[None]"]:
    running = asyncio.create_task(RevocationPublisher(committed_database, valkey.url).run())
    yield running
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.fixture
async def feed(valkey: EmbeddedValkey) -> AsyncIterator[RevocationFeed]:
    async with RevocationFeed(valkey.url) as opened:
        await opened.connected.wait()
        yield opened


@pytest.fixture
async def opened(
    committed_app: FastAPI,
    committed_database: Database,
    create_profile: Callable[..., Awaitable[Profile]],
    open_session: Callable[..., Awaitable[OpenSession]],
) -> OpenSession:
    return await open_session(committed_app, await create_profile(committed_database))


async def end(database: Database, opened: OpenSession) -> None:
    async with database.transaction() as session:
        await service.end_sessions(session, EndReason.LOGOUT, session_ids=[opened.id])


async def wait_for(feed: RevocationFeed, opened: OpenSession) -> None:
    async def is_known() -> bool:
        return str(opened.id) in feed.revocations

    await wait_until(is_known, seconds=20, interval=0.005)


@pytest.mark.usefixtures("publisher")
class TestRevocationPublisher:
    async def test_valid(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        feed: RevocationFeed,
        opened: OpenSession,
        login: Callable[..., Awaitable[dict[str, str]]],
        create_profile: Callable[..., Awaitable[Profile]],
    ) -> None:
        """Logging out ends the access token as well, in a process that only listens."""
        app = committed_app
        app.state.token_verifier = TokenVerifier.from_config(
            app.state.key_ring, load_config(TokenConfig), feed.revocations
        )
        await end(committed_database, opened)
        await wait_for(feed, opened)
        headers = await login(app, await create_profile(committed_database))
        assert (await committed_client.get("/auth/sessions", headers=headers)).status_code == 200
        await committed_client.post("/auth/logout", headers=headers)

        async def is_refused() -> str | None:
            response = await committed_client.get("/auth/sessions", headers=headers)
            return None if response.status_code == 200 else str(response.json()["code"])

        assert await wait_until(is_refused, seconds=20) == "token_revoked"

    async def test_redis_restarts_empty(
        self, committed_database: Database, valkey: EmbeddedValkey, feed: RevocationFeed, opened: OpenSession
    ) -> None:
        """What ended while it was away is told when it is back."""
        valkey.stop()
        await end(committed_database, opened)
        valkey.start()
        await wait_for(feed, opened)

    async def test_wiped_set_is_written_again(
        self, committed_database: Database, valkey: EmbeddedValkey, feed: RevocationFeed, opened: OpenSession
    ) -> None:
        await end(committed_database, opened)
        await wait_for(feed, opened)
        async with create_redis(valkey.url) as redis:
            await redis.flushall()

            async def is_written() -> bool:
                return bool(await redis.zscore(SORTED_SET, str(opened.id)))

            await wait_until(is_written, seconds=20)


class TestTryPublish:
    """The log names the one that is away: errors of the network are the same for both."""

    async def test_database_away(
        self, committed_database: Database, valkey: EmbeddedValkey, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with (
            Database(committed_database.config.model_copy(update={"port": get_free_port()})) as database,
            create_redis(valkey.url) as redis,
        ):
            await RevocationPublisher(database, valkey.url)._try_publish(redis)
        assert "revocations_not_read" in caplog.text
        assert "revocations_not_published" not in caplog.text

    async def test_redis_away(
        self, committed_database: Database, opened: OpenSession, caplog: pytest.LogCaptureFixture
    ) -> None:
        await end(committed_database, opened)
        url = f"redis://127.0.0.1:{get_free_port()}/0"
        async with create_redis(url) as redis:
            await RevocationPublisher(committed_database, url)._try_publish(redis)
        assert "revocations_not_published" in caplog.text
        assert "revocations_not_read" not in caplog.text
