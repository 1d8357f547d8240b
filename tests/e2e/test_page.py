"""The page at `/`: what a person sees first."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from bs4 import BeautifulSoup
from e2e.people import Person
from e2e.platform import Platform

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "face.png"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROWSER_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,1000",
    "--virtual-time-budget=4000",
)  # fmt: skip
SERVICES = ("auth", "posts", "notifications")
SMALLEST_PICTURE_BYTES = 20_000


class TestPage:
    async def test_says_what_runs_and_whether_it_is_well(self, anybody: Person) -> None:
        page = await anybody.client.get("/")
        assert page.status_code == httpx.codes.OK
        text = BeautifulSoup(page.text, "html.parser").get_text(" ")
        for service in SERVICES:
            assert service in text.lower()

    async def test_loads_nothing_from_elsewhere(self, anybody: Person) -> None:
        for path in ("/", *(f"/docs/{service}/" for service in SERVICES)):
            page = BeautifulSoup((await anybody.client.get(path)).text, "html.parser")
            sources = [tag.get("src") or tag.get("href") for tag in page.find_all(["script", "link", "img"])]
            assert sources
            for source in sources:
                assert not str(source).startswith(("http:", "https:", "//")), f"{path} loads {source}"

    @pytest.mark.parametrize("service", SERVICES)
    async def test_links_lead_to_the_reference_of_each_service(self, anybody: Person, service: str) -> None:
        page = BeautifulSoup((await anybody.client.get("/")).text, "html.parser")
        (link,) = {tag["href"] for tag in page.find_all("a", href=True) if f"docs/{service}" in str(tag["href"])}
        reference = httpx.URL("http://gateway").join(str(link)).path
        shown = await anybody.client.get(reference)
        assert shown.status_code == httpx.codes.OK
        document = await anybody.client.get(f"{reference.rstrip('/')}/openapi.json")
        assert document.json()["openapi"].startswith("3.1")
        for script in BeautifulSoup(shown.text, "html.parser").find_all("script", src=True):
            asset = httpx.URL(f"http://gateway{reference.rstrip('/')}/").join(str(script["src"])).path
            assert (await anybody.client.get(asset)).status_code == httpx.codes.OK

    async def test_health_names_every_service(self, anybody: Person) -> None:
        health = await anybody.client.get("/healthz")
        assert health.status_code == httpx.codes.OK
        for service in SERVICES:
            assert service in health.text

    @pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; CI installs it")
    async def test_picture_of_the_page(
        self, platform: Platform, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        picture = tmp_path / "face.png"
        command = [str(BROWSER), *BROWSER_FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}"]
        await asyncio.to_thread(
            subprocess.run, [*command, platform.base_url], check=True, capture_output=True, timeout=90
        )
        assert picture.stat().st_size > SMALLEST_PICTURE_BYTES
        if request.config.getoption("--update-screenshot"):
            PICTURE.parent.mkdir(exist_ok=True)
            shutil.copy(picture, PICTURE)


def test_readme_shows_the_picture() -> None:
    assert PICTURE.is_file(), "run `make screenshot`"
    assert "docs/images/face.png" in (PICTURE.parents[2] / "README.md").read_text()
