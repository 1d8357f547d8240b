"""The API process of the notifications service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chassis.app import ServiceSpec
from chassis.app import create_app as create_chassis_app
from chassis.config import AppConfig, RedisConfig, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.http.client import ServiceClient
from chassis.http.config import AuthUpstreamConfig, ServiceClientConfig
from chassis.http.tokens import ServiceTokenSource
from chassis.security.config import TokenConfig
from chassis.security.jwks import RemoteKeySet
from chassis.security.revocation import RevocationFeed
from chassis.security.verifier import TokenVerifier
from notifications.confirmations.client import ConfirmationsClient
from notifications.deliveries.config import MailConfig
from notifications.router import router

DESCRIPTION = "The inbox of every reader, and the e-mails that go out."


def create_app() -> FastAPI:
    database = Database(load_config(DatabaseConfig))
    auth_url = str(load_config(AuthUpstreamConfig).auth_url)
    client_config, token_config = load_config(ServiceClientConfig), load_config(TokenConfig)
    redis_url = str(load_config(RedisConfig).redis_url)
    load_config(MailConfig)  # what is wrong in it must be told here, not by the first mail

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            database,
            ServiceClient("auth", auth_url) as auth,
            ServiceClient("auth", auth_url, token_source=ServiceTokenSource(auth, client_config)) as auth_internal,
            RevocationFeed(redis_url) as feed,
        ):
            app.state.database = database
            app.state.token_verifier = TokenVerifier.from_config(RemoteKeySet(auth), token_config, feed.revocations)
            app.state.confirmations = ConfirmationsClient(auth_internal)
            yield

    spec = ServiceSpec(
        name="notifications",
        description=DESCRIPTION,
        router=router,
        lifespan=lifespan,
        readiness={"database": database.check},
    )
    return create_chassis_app(spec, load_config(AppConfig))
