from collections.abc import Callable

import httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from chassis.config import ConfigError
from notifications.main import create_app

CreateClient = Callable[[FastAPI], httpx.AsyncClient]


class TestCreateApp:
    async def test_starts_while_the_database_is_away(
        self, create_client: CreateClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_PORT", "1")
        app = create_app()
        async with LifespanManager(app):
            client = create_client(app)
            assert (await client.get("/livez")).status_code == 200
            ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["failing"]) == (503, ["database"])

    @pytest.mark.parametrize("variable", ["DATABASE_HOST", "AUTH_URL", "SERVICE_CLIENT_SECRET", "ENVIRONMENT"])
    def test_missing_variable(self, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
        monkeypatch.delenv(variable)
        with pytest.raises(ConfigError, match=f"{variable} is not set"):
            create_app()

    @pytest.mark.parametrize(("shown_in", "status"), [("local", 200), ("staging", 200), ("production", 404)])
    async def test_reference(
        self, create_client: CreateClient, monkeypatch: pytest.MonkeyPatch, shown_in: str, status: int
    ) -> None:
        monkeypatch.setenv("ENVIRONMENT", shown_in)
        monkeypatch.setenv("DATABASE_PASSWORD", "d" * 40)
        monkeypatch.setenv("SERVICE_CLIENT_SECRET", "s" * 40)
        assert (await create_client(create_app()).get("/docs/openapi.json")).status_code == status
