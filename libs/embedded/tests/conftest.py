import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chassis.testing.polling import wait_until
from embedded.postgres import EmbeddedPostgres

WaitFor = Callable[[Callable[[], object]], None]
FetchValue = Callable[[str, str], Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that does not exist yet; pytest's own are closed to other users, as a home folder is."""
    return tmp_path / "data"


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(folder, durable=False) as server:
        yield server


@pytest.fixture
def fetch_value() -> FetchValue:
    """Run one statement on a connection of its own: `fetch_value(dsn, statement)`."""

    async def fetch(dsn: str, statement: str) -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return lambda dsn, statement: asyncio.run(fetch(dsn, statement))


@pytest.fixture
def wait_for() -> WaitFor:
    """Poll until the check holds, or fail: `wait_for(check)`."""

    def wait(check: Callable[[], object]) -> None:
        async def read() -> object:
            return check()

        asyncio.run(wait_until(read))

    return wait
