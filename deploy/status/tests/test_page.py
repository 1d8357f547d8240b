"""The page at `/`: whole without script, honest about what runs, nothing from elsewhere."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from bs4 import BeautifulSoup

ClientFactory = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def answer_well(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"status": "ok"})


def answer_badly(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503, json={"failing": ["<b>database</b>"]})


# The library compiles its patterns at their first use, half a second on a busy machine: not inside a test's loop.
BeautifulSoup("<p></p>", "html.parser").select("script:not([src]), style, [style], .calls li pre")


def read_text(page: BeautifulSoup, selector: str) -> str:
    """The text of the only element that a selector finds."""
    (element,) = page.select(selector)
    return element.text


class TestShowPage:
    async def test_valid(self, open_status: ClientFactory) -> None:
        async with open_status(answer_well) as client:
            response = await client.get("/")

        page = BeautifulSoup(response.text, "html.parser")
        assert response.status_code == 200
        assert read_text(page, "h1") == "Broadsheet"
        assert read_text(page, "#lead") == "All services are well"
        assert [article["data-service"] for article in page.select("article")] == ["auth", "posts"]
        assert [link["href"] for link in page.select("article a")] == ["docs/auth/", "docs/posts/"]
        assert len(page.select(".calls li pre")) == 3

    async def test_service_that_is_not_ready(self, open_status: ClientFactory) -> None:
        async with open_status(answer_badly) as client:
            page = BeautifulSoup((await client.get("/")).text, "html.parser")

        assert read_text(page, "#lead") == "Not ready: auth, posts"
        assert [article["data-state"] for article in page.select("article")] == ["unavailable"] * 2
        assert read_text(page, "article:first-child .words") == "Not ready: <b>database</b>"

    async def test_calls_name_the_public_address(self, open_status: ClientFactory) -> None:
        async with open_status(answer_well, public_url="https://news.example/") as client:
            page = (await client.get("/", headers={"Host": "evil.example"})).text

        assert "curl https://news.example/api/v1/posts" in page
        assert "evil.example" not in page

    async def test_everything_comes_from_us(self, open_status: ClientFactory) -> None:
        async with open_status(answer_well) as client:
            response = await client.get("/")
            page = BeautifulSoup(response.text, "html.parser")
            loaded = [str(tag.get("src") or tag.get("href")) for tag in page.select("script, link, img")]
            answers = [await client.get(f"/{address}") for address in loaded]

        assert len(loaded) == 3
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert not re.search(r"url\(|@import|https?://", answers[1].text)

    async def test_no_inline_script_or_style(self, open_status: ClientFactory) -> None:
        async with open_status(answer_well) as client:
            response = await client.get("/")

        page = BeautifulSoup(response.text, "html.parser")
        assert page.select("script:not([src]), style, [style], [onclick]") == []
        assert "unsafe" not in response.headers["content-security-policy"]
        assert "default-src 'none'" in response.headers["content-security-policy"]

    @pytest.mark.parametrize(
        ("environment", "docs", "mailbox"),
        [("local", True, True), ("staging", True, False), ("production", False, False)],
    )
    async def test_links_by_environment(
        self, open_status: ClientFactory, environment: str, *, docs: bool, mailbox: bool
    ) -> None:
        async with open_status(answer_well, environment=environment) as client:
            page = (await client.get("/")).text

        assert ("docs/auth/" in page) is docs
        assert ("127.0.0.1:8026" in page) is mailbox

    async def test_no_mailbox(self, open_status: ClientFactory) -> None:
        async with open_status(answer_well, mailbox_url="") as client:
            page = (await client.get("/")).text

        assert "mailbox" not in page.lower()


class TestReadLivez:
    async def test_valid(self, open_status: ClientFactory) -> None:
        async with open_status(answer_badly) as client:
            assert (await client.get("/livez")).status_code == 200


class TestRefuseBody:
    async def test_valid(self, open_status: ClientFactory) -> None:
        async with open_status(answer_well) as client:
            response = await client.post("/too-large", content=b"x" * 2_000_000, headers={"X-Request-ID": "id-1"})

        assert response.status_code == 413
        assert response.headers["content-type"] == "application/problem+json"
        assert (response.json()["code"], response.json()["request_id"]) == ("content_too_large", "id-1")
