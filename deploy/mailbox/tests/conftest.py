"""A mailbox in the test's own loop: real SMTP on a free port, HTTP in process."""

import asyncio
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage

import httpx
import pytest

from devmailbox.app import create_app
from devmailbox.behaviours import Behaviours
from devmailbox.smtp import MailHandler, start_smtp
from devmailbox.store import MessageStore


@dataclass
class Sender:
    """Sends mail to the mailbox as any program would, off the loop that the mailbox runs in."""

    port: int

    async def send(self, message: EmailMessage, *, to: str = "reader@example.org", timeout: float = 5) -> None:  # noqa: ASYNC109 (of the SMTP connection)
        """Send one mail; raises what smtplib raises."""
        await asyncio.to_thread(self._send, message, to, timeout)

    def _send(self, message: EmailMessage, to: str, timeout: float) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=timeout) as connection:
            connection.send_message(message, from_addr="no-reply@broadsheet.example", to_addrs=[to])


@pytest.fixture
def mail() -> EmailMessage:
    """A mail with both parts, as the platform sends them."""
    message = EmailMessage()
    message["From"] = "Broadsheet <no-reply@broadsheet.example>"
    message["To"] = "A Reader <reader@example.org>"
    message["Subject"] = "Morning edition"
    message["Date"] = "Sun, 22 Nov 2026 08:00:00 +0000"
    message["Message-ID"] = "<edition-1@broadsheet.example>"
    message.set_content("Good morning")
    message.add_alternative("<p>Good <b>morning</b></p>", subtype="html")
    return message


@pytest.fixture
def store() -> MessageStore:
    return MessageStore(keep=100)


@pytest.fixture
def behaviours() -> Behaviours:
    return Behaviours()


@pytest.fixture
async def sender(store: MessageStore, behaviours: Behaviours) -> AsyncIterator[Sender]:
    server = await start_smtp(MailHandler(store, behaviours), host="127.0.0.1", port=0)
    yield Sender(server.sockets[0].getsockname()[1])
    behaviours.delete_behaviours()
    server.close()


@pytest.fixture
async def client(store: MessageStore, behaviours: Behaviours) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(store, behaviours))
    async with httpx.AsyncClient(transport=transport, base_url="http://mailbox") as client:
        yield client
