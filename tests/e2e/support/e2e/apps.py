"""Apps of others: their libraries as they are published, and the person's browser, which they send here and there."""

import asyncio
import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from e2e.people import PASSWORD, Person

CLIENTS = Path(__file__).parents[2] / "oauth_clients"
BIN = Path(sys.executable).parent
"""With the node and npm of this environment, of a wheel."""
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
SECONDS = 60
ACTION = re.compile(r'<form method="post" action="([^"]+)"')


def install_clients() -> None:
    """What the lock file says, once a run."""
    command = [str(BIN / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"npm ci failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


class BrowserOf:
    """Of somebody who logs in on the page, and presses a button there. It follows links, but not out to the app."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._cookies: dict[str, str] = {}
        self.pages: list[str] = []
        """What it has shown."""

    async def visit(self, url: str, *, step: str = "allow") -> str:
        """Where it is sent back to in the end."""
        answer = await self._send("GET", url, {"Sec-Fetch-Site": "cross-site"})
        if "http-equiv" in answer.text:
            answer = await self._send("GET", url, OUR_PAGE)
        if 'type="password"' in answer.text:
            answer = await self._press(answer, "log_in", username=self._person.email, password=PASSWORD)
            answer = await self._send("GET", str(answer.url.join(answer.headers["location"])), OUR_PAGE)
        if answer.is_success:
            answer = await self._press(answer, step)
        assert answer.has_redirect_location, answer.text
        return answer.headers["location"]

    async def _press(self, page: httpx.Response, step: str, **fields: str) -> httpx.Response:
        action = ACTION.search(page.text)
        assert action, page.text
        return await self._send("POST", str(page.url.join(unescape(action[1]))), OUR_PAGE, {"step": step, **fields})

    async def _send(
        self, method: str, url: str, headers: dict[str, str], form: dict[str, str] | None = None
    ) -> httpx.Response:
        # From another site a browser does not send them: they are SameSite=Strict.
        if self._cookies and headers is OUR_PAGE:
            headers = headers | {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        async with httpx.AsyncClient(timeout=20) as client:
            answer = await client.request(method, url, headers=headers, data=form)
        self._cookies |= dict(answer.cookies)
        self.pages.append(answer.text)
        return answer


async def run_app(script: str, settings: dict[str, Any], browser: BrowserOf) -> dict[str, Any]:
    """What it tells at its end. Its person allows whatever it asks for."""
    process = await asyncio.create_subprocess_exec(
        str(BIN / "node"),
        script,
        cwd=CLIENTS,
        env=os.environ | {"SETTINGS": json.dumps(settings)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        async with asyncio.timeout(SECONDS):
            async for line in process.stdout:
                message = json.loads(line)
                if "result" in message:
                    result: dict[str, Any] = message["result"]
                    return result
                process.stdin.write(f"{await browser.visit(message['visit'])}\n".encode())
            raise AssertionError((await process.stderr.read()).decode())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
