"""The bad days that a test can ask for, as a sender sees them."""

import asyncio
import smtplib
from email.message import EmailMessage
from typing import Protocol

import httpx
import pytest

from chassis.testing.polling import wait_until

DEADLINE_SECONDS = 5


class Sender(Protocol):
    """The fixture of conftest.py."""

    async def send(self, message: EmailMessage, *, to: str = ..., timeout: float = ...) -> None: ...  # noqa: ASYNC109 (of the SMTP connection)


async def count_messages(client: httpx.AsyncClient) -> int:
    """How many mails the mailbox has."""
    return len((await client.get("/api/messages")).json())


class TestUpdateBehaviour:
    async def test_reject_4xx(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await client.put("/api/behaviour", json={"mode": "reject_4xx"})

        with pytest.raises(smtplib.SMTPDataError) as caught:
            await sender.send(mail)

        assert caught.value.smtp_code == 451
        assert await count_messages(client) == 0

    async def test_reject_5xx(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await client.put("/api/behaviour", json={"mode": "reject_5xx"})

        with pytest.raises(smtplib.SMTPDataError) as caught:
            await sender.send(mail)

        assert caught.value.smtp_code == 550
        assert await count_messages(client) == 0

    async def test_drop_after_data(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await client.put("/api/behaviour", json={"mode": "drop_after_data"})

        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            await sender.send(mail)

        assert await count_messages(client) == 1

    async def test_hang_until_the_sender_gives_up(
        self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage
    ) -> None:
        await client.put("/api/behaviour", json={"mode": "hang"})

        with pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError)):
            await sender.send(mail, timeout=0.3)

        assert await count_messages(client) == 1

    async def test_hang_until_it_changes(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await client.put("/api/behaviour", json={"mode": "hang"})
        sending = asyncio.create_task(sender.send(mail))
        await wait_until(lambda: count_messages(client))
        assert not sending.done()

        await client.delete("/api/behaviour")

        async with asyncio.timeout(DEADLINE_SECONDS):
            await sending

    async def test_times(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await client.put("/api/behaviour", json={"mode": "reject_4xx", "times": 2})

        for _ in range(2):
            with pytest.raises(smtplib.SMTPDataError):
                await sender.send(mail)
        await sender.send(mail)

        assert await count_messages(client) == 1
        assert (await client.get("/api/behaviour")).json() == {}

    async def test_one_recipient(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await client.put("/api/behaviour", json={"mode": "reject_5xx", "to": "Gone@example.org"})

        await sender.send(mail, to="here@example.org")
        with pytest.raises(smtplib.SMTPDataError):
            await sender.send(mail, to="gone@example.org")

        assert await count_messages(client) == 1

    @pytest.mark.parametrize(
        "body",
        [
            {"mode": "explode"},
            {},
            [],
            {"mode": "hang", "times": 0},
            {"mode": "hang", "times": "2"},
            {"mode": "hang", "to": 7},
        ],
    )
    async def test_invalid(self, client: httpx.AsyncClient, body: object) -> None:
        response = await client.put("/api/behaviour", json=body)

        assert response.status_code == 422
        assert "must be" in response.json()["error"]

    async def test_broken_json(self, client: httpx.AsyncClient) -> None:
        assert (await client.put("/api/behaviour", content=b"{")).status_code == 400


class TestDeleteBehaviours:
    async def test_valid(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await client.put("/api/behaviour", json={"mode": "reject_5xx"})

        assert (await client.delete("/api/behaviour")).status_code == 204

        await sender.send(mail)
        assert await count_messages(client) == 1
