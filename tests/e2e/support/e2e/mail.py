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

    async def refuse(self, address: str, *, times: int) -> None:
        """Answer the next mails to this address as a mail server does that has no time now (4xx)."""
        behaviour = {"mode": "reject_4xx", "to": address, "times": times}
        (await self.client.put("/api/behaviour", json=behaviour)).raise_for_status()

    async def has_refused(self, address: str) -> bool:
        """Whether all the mails that were to be refused have been."""
        return address.casefold() not in (await self.client.get("/api/behaviour")).raise_for_status().json()


def find_confirmation_link(message: dict[str, Any]) -> str:
    match = CONFIRMATION_LINK.search(message["text"])
    assert match, "the mail holds no confirmation link"
    return match[0]
