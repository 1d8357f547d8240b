"""The background process: it follows the profiles of auth, and tells the worker which renderings are due."""

from contextlib import closing
from functools import partial

from chassis.background import BackgroundTask
from chassis.background import run_background as run_tasks
from chassis.config import RedisConfig, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.events.client import FeedClient
from chassis.events.consumer import Consumer
from chassis.events.handlers import Handlers
from chassis.events.housekeeping import run_hourly
from chassis.http.client import ServiceClient
from chassis.http.config import AuthUpstreamConfig, ServiceClientConfig
from chassis.http.tokens import ServiceTokenSource
from chassis.jobs.broker import HintBroker
from chassis.jobs.hints import HintSender
from chassis.periodic import run_every
from posts.creators import events as creators
from posts.deletions import events as deletions
from posts.deletions.constants import LOOK_SECONDS
from posts.deletions.service import forget_late
from posts.renderings.service import RENDERINGS, delete_old_renderings, fail_dead_publications

# Names of the inbox and of the cursor: changed, everything would be applied anew.
CONSUMER = "posts"
AUTH_FEED = "auth"
HANDLERS: Handlers = {**creators.HANDLERS, **deletions.HANDLERS}
FAIL_SECONDS = 5.0
CLEAN_SECONDS = 3600.0


async def run_background() -> None:
    """Until SIGTERM."""
    with closing(HintBroker(str(load_config(RedisConfig).redis_url))) as broker:
        async with Database(load_config(DatabaseConfig)) as database:
            await _run_with(database, broker)


async def _run_with(database: Database, broker: HintBroker) -> None:
    auth_url, client_config = str(load_config(AuthUpstreamConfig).auth_url), load_config(ServiceClientConfig)
    async with ServiceClient("auth", auth_url) as anonymous:
        source = ServiceTokenSource(anonymous, client_config)
        async with ServiceClient("auth", auth_url, token_source=source) as auth:
            consumer = Consumer(database, FeedClient(auth), HANDLERS, name=CONSUMER, feed_name=AUTH_FEED)
            tasks: dict[str, BackgroundTask] = {
                "consume-auth": consumer.run,
                "send-hints": HintSender(database, broker, [RENDERINGS]).run,
                "fail-publications": partial(
                    run_every, FAIL_SECONDS, "fail-publications", partial(fail_dead_publications, database)
                ),
                "clean-renderings": partial(
                    run_every, CLEAN_SECONDS, "clean-renderings", partial(delete_old_renderings, database)
                ),
                "forget-late": partial(run_every, LOOK_SECONDS, "forget-late", partial(forget_late, database)),
                "housekeeping": partial(run_hourly, database),
            }
            await run_tasks("posts", tasks)
