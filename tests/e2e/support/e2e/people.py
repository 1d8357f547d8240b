"""People who use the platform, through its public doors only."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from e2e.mail import Mailbox, find_confirmation_link
from e2e.polling import wait_until

API = "/api/v1"
PASSWORD = "Correct-Horse-7-Battery"
FORM_TOKEN = re.compile(r'name="token"\s+value="([^"]+)"')


def create_email() -> str:
    return f"{secrets.token_hex(8)}@people.example"


@dataclass
class Person:
    """Somebody with an account. `client` carries the access token once they are logged in."""

    client: httpx.AsyncClient
    mailbox: Mailbox
    email: str = field(default_factory=create_email)
    username: str = field(default_factory=lambda: f"u_{secrets.token_hex(6)}")
    first_name: str = "Ada"
    last_name: str = "Lovelace"
    id: str = ""
    refresh_token: str = ""

    async def sign_up(self, **changes: Any) -> httpx.Response:
        body = {
            "email": self.email,
            "username": self.username,
            "password": PASSWORD,
            "first_name": self.first_name,
            "last_name": self.last_name,
        }
        response = await self.client.post(f"{API}/profiles", json=body | changes)
        if response.status_code == httpx.codes.CREATED:
            self.id = response.json()["id"]
        return response

    async def confirm(self) -> None:
        """Follow the link of the real e-mail, then press the button of the page it leads to."""
        link = httpx.URL(find_confirmation_link(await self.mailbox.wait_for(self.email, "confirm")))
        page = await self.client.get(link.raw_path.decode())
        page.raise_for_status()
        token = FORM_TOKEN.search(page.text)
        assert token, "the page has no form"
        (await self.client.post(f"{API}/auth/confirmation", data={"token": token[1]})).raise_for_status()

    async def log_in(self, password: str = PASSWORD) -> httpx.Response:
        form = {"grant_type": "password", "username": self.email, "password": password}
        response = await self.client.post(f"{API}/auth/token", data=form)
        if response.is_success:
            self.use_token(response.json()["access_token"])
            self.refresh_token = response.cookies.get("__Host-refresh_token") or ""
        return response

    def use_token(self, token: str) -> None:
        self.client.headers["Authorization"] = f"Bearer {token}"

    async def become_creator(self) -> None:
        (await self.client.put(f"{API}/creators/{self.id}", json={})).raise_for_status()

    async def create_post(self, title: str, body: str, **headers: str) -> dict[str, Any]:
        post = {"title": title, "body": body}
        response = await self.client.post(f"{API}/posts", json=post, headers=headers)
        response.raise_for_status()
        created: dict[str, Any] = response.json()
        return created

    async def publish(self, post_id: str) -> dict[str, Any]:
        """Ask for publication and wait until readers see it."""
        (await self.client.put(f"{API}/posts/{post_id}/publication")).raise_for_status()
        return await wait_until(
            lambda: self.read(f"/posts/{post_id}"), lambda post: post["status"] == "published", seconds=60
        )

    async def follow(self, creator: "Person") -> None:
        await wait_until(lambda: self._try_follow(creator), seconds=30)

    async def _try_follow(self, creator: "Person") -> bool:
        """A new creator is known to posts a moment after auth has said so."""
        response = await self.client.put(f"{API}/creators/{creator.id}/followers/me")
        if response.status_code in {httpx.codes.NOT_FOUND, httpx.codes.SERVICE_UNAVAILABLE}:
            return False
        response.raise_for_status()
        return True

    async def read(self, path: str) -> dict[str, Any]:
        response = await self.client.get(f"{API}{path}")
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    async def list_notifications(self, kind: str = "") -> list[dict[str, Any]]:
        page = await self.read("/notifications?limit=100")
        items: list[dict[str, Any]] = page["items"]
        return [item for item in items if not kind or item["kind"] == kind]
