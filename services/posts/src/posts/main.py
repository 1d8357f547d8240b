"""The API process of the posts service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chassis.app import ServiceSpec
from chassis.app import create_app as create_chassis_app
from chassis.config import AppConfig, RedisConfig, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.events.waker import FeedWaker
from chassis.http.client import ServiceClient
from chassis.http.config import AuthUpstreamConfig
from chassis.security.config import TokenConfig
from chassis.security.jwks import RemoteKeySet
from chassis.security.revocation import RevocationFeed
from chassis.security.verifier import TokenVerifier
from posts.accounts.client import AccountsClient
from posts.router import router

DESCRIPTION = "Posts, their publication and reviews, and who follows whom."


def create_app() -> FastAPI:
    config = load_config(AppConfig)
    database = Database(load_config(DatabaseConfig))
    auth_url = str(load_config(AuthUpstreamConfig).auth_url)
    redis_url, tokens = str(load_config(RedisConfig).redis_url), load_config(TokenConfig)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            database,
            ServiceClient("auth", auth_url) as auth,
            FeedWaker(database) as feed_waker,
            RevocationFeed(redis_url) as feed,
        ):
            app.state.database = database
            app.state.accounts_client = AccountsClient(auth)
            app.state.token_verifier = TokenVerifier.from_config(RemoteKeySet(auth), tokens, feed.revocations)
            app.state.feed_waker = feed_waker
            yield

    spec = ServiceSpec(
        name="posts",
        description=DESCRIPTION,
        router=router,
        lifespan=lifespan,
        readiness={"database": database.check},
    )
    return create_chassis_app(spec, config)
