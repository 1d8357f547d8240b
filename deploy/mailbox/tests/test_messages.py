"""What arrives by SMTP is there by HTTP, whole."""

from email.message import EmailMessage
from typing import Protocol

import httpx


class Sender(Protocol):
    """The fixture of conftest.py."""

    async def send(self, message: EmailMessage, *, to: str = ...) -> None: ...


class TestListMessages:
    async def test_valid(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await sender.send(mail)

        (message,) = (await client.get("/api/messages")).json()

        assert message["message_id"] == "<edition-1@broadsheet.example>"
        assert message["from"] == "Broadsheet <no-reply@broadsheet.example>"
        assert message["to"] == ["reader@example.org"]
        assert message["subject"] == "Morning edition"
        assert message["date"] == "Sun, 22 Nov 2026 08:00:00 +0000"
        assert message["text"] == "Good morning\n"
        assert message["html"] == "<p>Good <b>morning</b></p>\n"
        assert message["headers"]["To"] == "A Reader <reader@example.org>"
        assert message["received_at"].endswith("Z")

    async def test_one_recipient(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await sender.send(mail, to="first@example.org")
        await sender.send(mail, to="second@example.org")

        messages = (await client.get("/api/messages", params={"to": "Second@Example.org"})).json()

        assert [message["to"] for message in messages] == [["second@example.org"]]

    async def test_newest_first(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        for name in ("a", "b", "c"):
            await sender.send(mail, to=f"{name}@example.org")

        messages = (await client.get("/api/messages", params={"limit": 2})).json()

        assert [message["to"] for message in messages] == [["c@example.org"], ["b@example.org"]]

    async def test_invalid_limit(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/api/messages", params={"limit": "many"})

        assert response.status_code == 422
        assert response.json() == {"error": "limit must be a whole number"}

    async def test_letters_of_all_scripts(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        mail.replace_header("Subject", "Zeitung für 서울")
        mail.clear_content()
        mail.set_content("Grüße, 안녕\n.\nafter a line with a dot alone")
        await sender.send(mail)

        (message,) = (await client.get("/api/messages")).json()

        assert message["subject"] == "Zeitung für 서울"
        assert message["text"] == "Grüße, 안녕\n.\nafter a line with a dot alone\n"
        assert message["html"] is None


class TestGetMessage:
    async def test_valid(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await sender.send(mail)
        (listed,) = (await client.get("/api/messages")).json()

        assert (await client.get(f"/api/messages/{listed['id']}")).json() == listed

    async def test_not_found(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/api/messages/none")

        assert response.status_code == 404
        assert "no such mail" in response.json()["error"]


class TestDeleteMessages:
    async def test_valid(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await sender.send(mail)

        assert (await client.delete("/api/messages")).json() == {"deleted": 1}
        assert (await client.get("/api/messages")).json() == []


class TestShowPage:
    async def test_empty(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/")

        assert response.status_code == 200
        assert "No mail yet" in response.text

    async def test_subject_is_escaped(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        mail.replace_header("Subject", "<script>alert(1)</script>")
        await sender.send(mail)

        page = (await client.get("/")).text

        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page

    async def test_html_is_shown_in_a_sandbox(
        self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage
    ) -> None:
        await sender.send(mail)
        (message,) = (await client.get("/api/messages")).json()

        page = await client.get(f"/messages/{message['id']}")
        frame = await client.get(f"/messages/{message['id']}/html")

        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
        assert "<b>morning</b>" not in page.text
        assert "<b>morning</b>" in frame.text
        assert frame.headers["content-security-policy"].startswith("sandbox ")
        assert "default-src 'none'" in frame.headers["content-security-policy"]

    async def test_not_found(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/messages/none")).status_code == 404


class TestShowSource:
    async def test_valid(self, client: httpx.AsyncClient, sender: Sender, mail: EmailMessage) -> None:
        await sender.send(mail)
        (message,) = (await client.get("/api/messages")).json()

        source = await client.get(f"/messages/{message['id']}/source")

        assert source.text.startswith(
            "Return-Path: <no-reply@broadsheet.example>\r\nDelivered-To: reader@example.org\r\nFrom: Broadsheet"
        )
        assert source.headers["content-type"].startswith("text/plain")


class TestCheckLife:
    async def test_valid(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/livez")).status_code == 200
