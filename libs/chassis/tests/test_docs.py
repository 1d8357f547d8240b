"""The API reference page, and that all of it comes from the service itself."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from chassis.docs import install_docs


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(title="Ships & <harbours>", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/ships")
    async def list_ships() -> list[str]:
        return []

    install_docs(app)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


class TestShowReference:
    async def test_valid(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/docs/")

        assert response.status_code == 200
        assert "<title>Ships &amp; &lt;harbours&gt; · API reference</title>" in response.text

    async def test_every_address_is_relative_and_served(self, client: httpx.AsyncClient) -> None:
        addresses = re.findall(r'(?:src|href)="([^"]+)"', (await client.get("/docs/")).text)

        assert len(addresses) >= 4
        for address in addresses:
            assert not re.match(r"\w+:|/", address), address
            assert (await client.get(f"/docs/{address}")).status_code == 200, address

    async def test_no_inline_script(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/docs/")

        assert re.findall(r"<script(?! src=)", response.text) == []
        assert "script-src 'self';" in response.headers["content-security-policy"]

    async def test_without_slash_leads_to_the_page(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/docs", follow_redirects=True)

        assert response.url.path == "/docs/"


class TestShowOpenapi:
    async def test_valid(self, client: httpx.AsyncClient) -> None:
        document = (await client.get("/docs/openapi.json")).json()

        assert document["openapi"].startswith("3.1")
        assert "/ships" in document["paths"]
        assert document["servers"][0]["url"] == "/"

    async def test_calls_go_through_the_gateway_when_the_reader_does(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/docs/openapi.json", headers={"X-Forwarded-Host": "news.example"})

        assert response.json()["servers"][0]["url"] == "/api/v1"


class TestAssets:
    async def test_swagger_ui_is_version_5(self, client: httpx.AsyncClient) -> None:
        script = (await client.get("/docs/assets/swagger-ui-bundle.js")).text

        assert re.search(r'PACKAGE_VERSION:"5\.\d+\.\d+"', script)

    async def test_not_found(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/docs/assets/nothing.js")).status_code == 404
