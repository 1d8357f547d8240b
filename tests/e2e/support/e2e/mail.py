"""The mailbox of the platform under test, over its HTTP door."""

import re
from dataclasses import dataclass
from typing import Any

import httpx

from e2e.polling import wait_until

CONFIRMATION_LINK = re.compile(r"https?://[^\s\"<>]+/auth/confirmation\?token=[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Mailbox:
    client: httpx.AsyncClient

    async def list_messages(self, address: str, subject: str = "") -> list[dict[str, Any]]:
        response = await self.client.get("/api/messages", params={"to": address})
        response.raise_for_status()
        messages: list[dict[str, Any]] = response.json()
        return [message for message in messages if subject.lower() in message["subject"].lower()]

    async def wait_for(self, address: str, subject: str = "", *, count: int = 1, seconds: float = 30) -> dict[str, Any]:
        """The newest message to this address whose subject holds the words given."""
        messages = await wait_until(
            lambda: self.list_messages(address, subject), lambda found: len(found) >= count, seconds=seconds
        )
        return messages[0]

    async def set_behaviour(self, mode: str) -> None:
        (await self.client.put("/api/behaviour", json={"mode": mode})).raise_for_status()


def find_confirmation_link(message: dict[str, Any]) -> str:
    match = CONFIRMATION_LINK.search(message["text"])
    assert match, "the mail holds no confirmation link"
    return match[0]
