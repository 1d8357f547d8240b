"""The background process: it keeps house. Nobody waits for it, and nothing is lost while it is away."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from auth.confirmations.service import delete_expired_confirmations
from auth.tokens.service import delete_ended_sessions
from chassis.background import BackgroundTask
from chassis.background import run_background as run_tasks
from chassis.config import load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.events.housekeeping import run_hourly
from chassis.logs import get_logger

PRUNE_SECONDS = 600.0
RETRY_SECONDS = 30.0

Prune = Callable[[AsyncSession], Awaitable[int]]
"""Deletes some of what is over; how much it was."""

logger = get_logger(__name__)


async def run_background() -> None:
    """Until SIGTERM."""
    async with Database(load_config(DatabaseConfig)) as database:
        tasks: dict[str, BackgroundTask] = {
            "housekeeping": partial(run_hourly, database),
            "pruning": partial(run_pruning, database),
        }
        await run_tasks("auth", tasks)


async def run_pruning(database: Database) -> None:
    """Until cancelled."""
    while True:
        pause = PRUNE_SECONDS
        try:
            await prune_all(database)
        except (SQLAlchemyError, OSError) as error:
            logger.warning("pruning_put_off", reason=type(error).__name__)
            pause = RETRY_SECONDS
        await asyncio.sleep(pause)


async def prune_all(database: Database) -> None:
    """In small transactions: a long one would hold back the feed."""
    for prune in (delete_expired_confirmations, delete_ended_sessions):
        while await _prune_some(database, prune):
            pass


async def _prune_some(database: Database, prune: Prune) -> int:
    async with database.transaction() as session:
        return await prune(session)
