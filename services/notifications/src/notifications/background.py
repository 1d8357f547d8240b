"""The background process: it reads the feeds of auth and posts, tells followers, and the worker which mails are due."""

from contextlib import AsyncExitStack, closing
from functools import partial

from chassis.background import BackgroundTask
from chassis.background import run_background as run_tasks
from chassis.config import RedisConfig, load_config
from chassis.contracts.accounts import (
    ConfirmationRequested,
    ExportCompleted,
    SecurityNoticed,
    UserBanned,
    UserConfirmed,
    UserDeleted,
    UserRegistered,
    UserUnbanned,
    UserUpdated,
)
from chassis.contracts.posts import CreatorFollowed, CreatorUnfollowed, PostPublished, ReviewCreated
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
from notifications.config import PostsUpstreamConfig
from notifications.deletions.constants import LOOK_SECONDS
from notifications.deletions.events import handle_user_deleted
from notifications.deletions.service import forget_late
from notifications.deliveries.config import MailConfig
from notifications.deliveries.constants import BLANK_BATCH, BLANK_SECONDS, PARK_SECONDS
from notifications.deliveries.service import EMAIL_JOBS, blank_old_emails, park_ambiguous_emails
from notifications.fan_outs.events import handle_post_published
from notifications.fan_outs.service import FanOutRunner
from notifications.inbox.events import (
    handle_review_created,
    handle_user_banned,
    handle_user_confirmed,
    handle_user_registered,
    handle_user_unbanned,
    handle_user_updated,
)
from notifications.notices.events import (
    handle_confirmation_requested,
    handle_export_completed,
    handle_security_noticed,
)
from notifications.readers.events import handle_creator_followed, handle_creator_unfollowed

# Names of the inbox and of the cursors: changed, everything would be applied anew.
CONSUMER = "notifications"
AUTH_FEED = "auth"
POSTS_FEED = "posts"

AUTH_HANDLERS: Handlers = {
    UserRegistered: handle_user_registered,
    UserConfirmed: handle_user_confirmed,
    UserUpdated: handle_user_updated,
    UserBanned: handle_user_banned,
    UserUnbanned: handle_user_unbanned,
    UserDeleted: handle_user_deleted,
    ConfirmationRequested: handle_confirmation_requested,
    SecurityNoticed: handle_security_noticed,
    ExportCompleted: handle_export_completed,
}
POSTS_HANDLERS: Handlers = {
    PostPublished: handle_post_published,
    ReviewCreated: handle_review_created,
    CreatorFollowed: handle_creator_followed,
    CreatorUnfollowed: handle_creator_unfollowed,
}


async def run_background() -> None:
    """Until SIGTERM."""
    client_config = load_config(ServiceClientConfig)
    auth_url, posts_url = str(load_config(AuthUpstreamConfig).auth_url), str(load_config(PostsUpstreamConfig).posts_url)
    load_config(MailConfig)  # what is wrong in it must be told here, not by the first event
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(closing(HintBroker(str(load_config(RedisConfig).redis_url))))
        database = await stack.enter_async_context(Database(load_config(DatabaseConfig)))
        source = ServiceTokenSource(await stack.enter_async_context(ServiceClient("auth", auth_url)), client_config)
        auth = await stack.enter_async_context(ServiceClient("auth", auth_url, token_source=source))
        posts = await stack.enter_async_context(ServiceClient("posts", posts_url, token_source=source))
        consume_auth = Consumer(database, FeedClient(auth), AUTH_HANDLERS, name=CONSUMER, feed_name=AUTH_FEED)
        consume_posts = Consumer(database, FeedClient(posts), POSTS_HANDLERS, name=CONSUMER, feed_name=POSTS_FEED)
        tasks: dict[str, BackgroundTask] = {
            "consume-auth": consume_auth.run,
            "consume-posts": consume_posts.run,
            "fan-out": FanOutRunner(database).run,
            "send-hints": HintSender(database, broker, [EMAIL_JOBS]).run,
            "park-emails": partial(run_every, PARK_SECONDS, "park-emails", partial(park_emails, database)),
            "blank-emails": partial(run_every, BLANK_SECONDS, "blank-emails", partial(blank_emails, database)),
            "forget-late": partial(run_every, LOOK_SECONDS, "forget-late", partial(forget_late, database)),
            "housekeeping": partial(run_hourly, database),
        }
        await run_tasks("notifications", tasks)


async def park_emails(database: Database) -> None:
    """Set aside the mails that nobody may send again."""
    async with database.transaction() as session:
        await park_ambiguous_emails(session)


async def blank_emails(database: Database) -> None:
    """Forget whom old mails went to, in small transactions: a long one would hold back every feed of the server."""
    blanked = BLANK_BATCH
    while blanked == BLANK_BATCH:
        async with database.transaction() as session:
            blanked = await blank_old_emails(session)
