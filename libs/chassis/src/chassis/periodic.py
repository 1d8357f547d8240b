"""Work that the background process does again and again."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from chassis.logs import get_logger

RETRY_SECONDS = 30.0

logger = get_logger(__name__)


async def run_every(seconds: float, name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Until cancelled. A round that the database could not serve is repeated within half a minute."""
    while True:
        pause = seconds
        try:
            await work()
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            logger.warning("round_put_off", work=name, reason=type(error).__name__)
            pause = min(seconds, RETRY_SECONDS)
        await asyncio.sleep(random.uniform(pause * 0.9, pause))  # noqa: S311 - processes need not meet
