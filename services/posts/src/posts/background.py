"""The background process: it follows the profiles of auth, and tells the worker which renderings are due."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from chassis.background import BackgroundTask
from chassis.background import run_background as run_tasks
from chassis.config import load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.events.client import FeedClient
from chassis.events.consumer import Consumer
from chassis.events.housekeeping import run_hourly
from chassis.http.client import ServiceClient
from chassis.http.config import AuthUpstreamConfig, ServiceClientConfig
from chassis.http.tokens import ServiceTokenSource
from chassis.jobs.broker import HintBroker
from chassis.jobs.hints import HintSender
from chassis.logs import get_logger
from posts.config import BrokerConfig
from posts.creators.events import HANDLERS
from posts.renderings.models import RENDERINGS
from posts.renderings.service import delete_old_renderings, fail_dead_publications

# Names of the inbox and of the cursor: changed, everything would be applied anew.
CONSUMER = "posts"
AUTH_FEED = "auth"
FAIL_SECONDS = 5.0
CLEAN_SECONDS = 3600.0

logger = get_logger(__name__)


async def run_background() -> None:
    """Until SIGTERM."""
    auth_url, client_config = str(load_config(AuthUpstreamConfig).auth_url), load_config(ServiceClientConfig)
    broker = HintBroker(str(load_config(BrokerConfig).redis_url))
    async with Database(load_config(DatabaseConfig)) as database, ServiceClient("auth", auth_url) as anonymous:
        source = ServiceTokenSource(anonymous, client_config)
        async with ServiceClient("auth", auth_url, token_source=source) as auth:
            consumer = Consumer(database, FeedClient(auth), HANDLERS, name=CONSUMER, feed_name=AUTH_FEED)
            tasks: dict[str, BackgroundTask] = {
                "consume-auth": consumer.run,
                "send-hints": HintSender(database, broker, [RENDERINGS]).run,
                "fail-publications": partial(run_each, FAIL_SECONDS, fail_dead_publications, database),
                "clean-renderings": partial(run_each, CLEAN_SECONDS, delete_old_renderings, database),
                "housekeeping": partial(run_hourly, database),
            }
            await run_tasks("posts", tasks)
    broker.close()


async def run_each(seconds: float, work: Callable[[Database], Awaitable[None]], database: Database) -> None:
    """Until cancelled; a round that the database could not serve is put off to the next."""
    while True:
        try:
            await work(database)
        except (SQLAlchemyError, OSError) as error:
            logger.warning("round_put_off", work=work.__name__, reason=type(error).__name__)
        await asyncio.sleep(seconds)
