import secrets
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI

from auth.limits.client import RedisWindows
from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from embedded.valkey import EmbeddedValkey

CreateClientAt = Callable[[FastAPI, str], httpx.AsyncClient]


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey() as server:
        yield server


@pytest.fixture
def rates() -> dict[str, str]:
    """What a test is about; the rest is generous."""
    return {"login_account": "5/15 minutes", "login_device": "5/15 minutes", "login_address": "50/minute"}


@pytest.fixture
async def limiter(valkey_server: EmbeddedValkey, rates: dict[str, str]) -> AsyncIterator[RateLimiter]:
    """On a Redis that knows nothing of other tests: the secret, and with it every key, is this test's own."""
    redis = RedisWindows(valkey_server.url, seconds=5)
    config = LimitsConfig.model_validate(LimitsConfig().model_dump() | rates)
    async with RateLimiter(config, secrets.token_bytes(), redis) as opened:
        yield opened


@pytest.fixture
async def limited_app(committed_app: FastAPI, limiter: RateLimiter) -> FastAPI:
    committed_app.state.rate_limiter = limiter
    return committed_app


@pytest.fixture
async def create_client_at() -> AsyncIterator[CreateClientAt]:
    """Makes a client that calls from an address."""
    clients: list[httpx.AsyncClient] = []

    def create(app: FastAPI, address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app, client=(address, 4321))
        clients.append(httpx.AsyncClient(transport=transport, base_url="https://broadsheet.example"))
        return clients[-1]

    yield create
    for client in clients:
        await client.aclose()
