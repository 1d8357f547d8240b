"""Letting an app in with a real browser, which keeps our cookie back when it comes from the app's site."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import httpx
from e2e.app_server import AppServer
from e2e.browser import BINARY, Browser
from e2e.people import API, PASSWORD, Person
from e2e.platform import Platform
from e2e.polling import wait_until

LOG_IN = """
(async (form) => (await fetch("/api/v1/auth/token", {method: "POST", body: new URLSearchParams(form)})).status)
"""
CLICK = "document.querySelector('%s').click()"


async def read(browser: Browser, script: str) -> object:
    """Nothing while a page gives way to the next."""
    try:
        return await asyncio.to_thread(browser.run, script)
    except AssertionError:
        return None


class TestConsentInABrowser:
    async def test_asked_without_a_second_login_and_sent_back(
        self,
        platform: Platform,
        create_person: Callable[..., Awaitable[Person]],
        tmp_path: Path,
    ) -> None:
        assert BINARY, "Chromium is missing, which this test needs: install it (Debian: apt-get install chromium)"
        person, staff = await create_person(), await create_person()
        await platform.grant_role(staff.email, "admin")
        (await staff.log_in()).raise_for_status()
        body = {"name": "The App", "website": None, "redirect_uris": ["http://127.0.0.1/callback"]}
        rest = {"scopes": ["profile:read"], "is_confidential": False}
        created = (await staff.client.post(f"{API}/admin/clients", json=body | rest)).raise_for_status().json()
        with ExitStack() as stack:
            server = stack.enter_context(AppServer())
            browser = await asyncio.to_thread(stack.enter_context, Browser(tmp_path))
            query = {
                "client_id": created["client_id"],
                "response_type": "code",
                "redirect_uri": f"http://127.0.0.1:{server.port}/callback",
                "code_challenge": "x" * 43,
                "code_challenge_method": "S256",
                "state": "of-the-app",
            }
            server.link = f"{platform.base_url}{API}/auth/authorize?{urlencode(query)}".replace("&", "&amp;")
            await asyncio.to_thread(browser.open, platform.base_url)
            form = {"grant_type": "password", "username": person.email, "password": PASSWORD}
            assert await read(browser, f"{LOG_IN}({json.dumps(form)})") == httpx.codes.OK

            # Another site than ours: another port alone would be the same.
            await asyncio.to_thread(browser.open, f"http://localhost:{server.port}/")
            await read(browser, CLICK % "a")
            title = await wait_until(lambda: read(browser, "document.title"), lambda text: "let" in str(text).lower())
            assert title == "Let The App in? · Broadsheet"
            assert person.username in str(await read(browser, "document.body.innerText"))
            await read(browser, CLICK % 'button[value="allow"]')
            await wait_until(lambda: read(browser, "location.pathname"), lambda path: path == "/callback")
        told = httpx.URL(server.landed[0]).params
        assert (told["state"], told["iss"]) == ("of-the-app", platform.base_url)
        assert told["code"]
