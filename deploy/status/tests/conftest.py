"""The status application in process, in front of services that answer as a test says."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from asgi_lifespan import LifespanManager

from status.app import create_app
from status.config import StatusConfig

Answer = Callable[[httpx.Request], httpx.Response]
ClientFactory = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def build_config(**settings: object) -> StatusConfig:
    """The configuration of a local platform with two services."""
    known = {
        "environment": "local",
        "status_services": "auth=http://auth:8000,posts=http://posts:8000",
        "mailbox_url": "http://127.0.0.1:8026",
    }
    return StatusConfig.model_validate({**known, **settings})


@pytest.fixture
def open_status() -> ClientFactory:
    """Opens a client of the application: `answer` plays the services, `settings` change the configuration."""

    @asynccontextmanager
    async def open_client(answer: Answer, **settings: object) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(build_config(**settings), transport=httpx.MockTransport(answer))
        async with LifespanManager(app) as manager:
            transport = httpx.ASGITransport(app=manager.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://status") as client:
                yield client

    return open_client
