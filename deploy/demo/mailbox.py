"""The mailbox of a local platform, where the confirmation mails arrive."""

import re
from types import TracebackType
from typing import Any, Self

import httpx
from deploy.demo.api import wait_for
from deploy.demo.exceptions import AnswerError, DemoError, PlatformAwayError

CONFIRMATION = re.compile(r"/auth/confirmation\?token=([A-Za-z0-9_-]+)")


class Mailbox:
    """Reads the mails of everybody."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._client = httpx.AsyncClient(base_url=url, timeout=10, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def wait_for_token(self, email: str) -> str:
        """The token of the newest confirmation mail to this address. Raises DemoError when none comes."""
        return await wait_for(lambda: self._find_token(email), f"no confirmation mail came for {email}")

    async def check_health(self) -> None:
        """Raises DemoError unless it is the mailbox of `make run`."""
        await self._list_messages("nobody@demo.broadsheet.example")

    async def _find_token(self, email: str) -> str | None:
        tokens = (find_token(str(message.get("text") or "")) for message in await self._list_messages(email))
        return next((token for token in tokens if token), None)

    async def _list_messages(self, email: str) -> list[dict[str, Any]]:
        try:
            response = await self._client.get("/api/messages", params={"to": email})
        except httpx.TransportError as error:
            raise PlatformAwayError("mailbox", self._url, "BROADSHEET_MAILBOX_URL") from error
        if response.is_error:
            raise AnswerError(response)
        return read_messages(response)


def read_messages(response: httpx.Response) -> list[dict[str, Any]]:
    """Newest first. Raises DemoError when it is some other program that answers."""
    try:
        messages = response.json()
    except ValueError as error:
        raise DemoError(f"what answers at {response.request.url} is not the mailbox of `make run`") from error
    return list(messages)


def find_token(text: str) -> str | None:
    """The token in the link of a confirmation mail; None in other mails."""
    match = CONFIRMATION.search(text)
    return match[1] if match else None
