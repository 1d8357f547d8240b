"""The pytest plugin of every member's tests.

A service's conftest says where its migrations are (`migrations_path`) and how its app is made (`app`); the
plugin gives `database`, `committed_database`, `client`, `create_client`, `signer`.

A test fails when it holds up the event loop for longer than the ini option `loop_stall_seconds` (0: it may).
"""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    import httpx
    from fastapi import FastAPI

    from chassis.database.config import DatabaseConfig
    from chassis.database.engine import Database
    from chassis.testing.databases import RolledBackDatabase, Templates
    from chassis.testing.tokens import TokenSigner
    from embedded.postgres import EmbeddedPostgres

# Imports stand inside the fixtures: this module is loaded by every pytest run, also those that need none of it.


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("loop_stall_seconds", "How long a test may hold up the event loop.", default="0.5")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """As the processes of a service do it. Else a test pays for the garbage of all tests before it."""
    from chassis.loop import freeze_loaded_objects

    freeze_loaded_objects()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Watch the loop of an asynchronous test."""
    seconds = float(item.config.getini("loop_stall_seconds"))
    if seconds and isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        from chassis.testing.stalls import refuse_stalls

        item.obj = refuse_stalls(item.obj, seconds)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator["EmbeddedPostgres"]:
    """One PostgreSQL for this test process, without fsync, gone afterwards."""
    from embedded.postgres import EmbeddedPostgres

    with EmbeddedPostgres(None, durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def migrations_path() -> Path:
    raise pytest.UsageError("define the session fixture `migrations_path` in the conftest of this member")


@pytest.fixture(scope="session")
def templates(postgres_server: "EmbeddedPostgres") -> "Templates":
    from chassis.testing.databases import Templates

    return Templates(postgres_server)


@pytest_asyncio.fixture
async def template_config(templates: "Templates", migrations_path: Path) -> "DatabaseConfig":
    """The database that this member's real migrations built, once for this test process."""
    return await templates.get_template(migrations_path)


@pytest_asyncio.fixture
async def database(template_config: "DatabaseConfig") -> AsyncIterator["RolledBackDatabase"]:
    """A database whose changes are rolled back after the test. One request at a time."""
    from chassis.testing.databases import open_rolled_back_database

    async with open_rolled_back_database(template_config) as opened:
        yield opened


@pytest_asyncio.fixture
async def committed_database(
    postgres_server: "EmbeddedPostgres", template_config: "DatabaseConfig"
) -> AsyncIterator["Database"]:
    """A database of this test's own, with real commits and several connections: for races and crashes."""
    from chassis.testing.databases import open_committed_database

    async with open_committed_database(postgres_server, template_config.name) as opened:
        yield opened


@pytest.fixture(scope="session")
def signer() -> "TokenSigner":
    """Signs access and service tokens that the apps under test accept."""
    from chassis.testing.tokens import TokenSigner

    return TokenSigner()


@pytest_asyncio.fixture
async def create_client() -> AsyncIterator[Callable[["FastAPI"], "httpx.AsyncClient"]]:
    """Makes an async client for an app; all are closed after the test."""
    import httpx

    async with AsyncExitStack() as stack:

        def create(app: "FastAPI") -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=app)
            client = httpx.AsyncClient(transport=transport, base_url="http://testserver")
            stack.push_async_callback(client.aclose)
            return client

        yield create


@pytest.fixture
def client(app: "FastAPI", create_client: Callable[["FastAPI"], "httpx.AsyncClient"]) -> "httpx.AsyncClient":
    """A client of the member's `app` fixture."""
    return create_client(app)
