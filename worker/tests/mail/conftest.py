"""A mail hop that follows a script, for what no honest mail server does on demand."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chassis.config import Environment
from worker.mail.client import SmtpClient
from worker.mail.config import SmtpConfig
from worker.mail.schemas import EmailClaim, EmailContent, OutgoingMail
from worker.mail.utils import build_mail

CUT = "CUT"
"""Instead of a reply: the connection ends."""
REPLIES = {
    "HELLO": "220 hop",
    "EHLO": "250-hop\r\n250 SIZE 1000000",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 2.0.0 taken as 1",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


class ScriptedHop:
    """`replies` replaces what an honest hop says, verb by verb; `HELLO` is the greeting, `.` the final dot."""

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.verbs: list[str] = []
        self.commands: list[str] = []
        self.mails: list[bytes] = []
        self.connections = 0
        self.port = 0

    def reply(self, verb: str) -> str:
        self.verbs.append(verb)
        return self.replies.get(verb, REPLIES.get(verb, "500 what?"))


class ScriptHandler(socketserver.StreamRequestHandler):
    """One connection to the hop."""

    hop: ScriptedHop

    def handle(self) -> None:
        self.hop.connections += 1
        goes_on = self.say("HELLO")
        while goes_on and (line := self.rfile.readline()):
            self.hop.commands.append(line.decode().strip())
            verb = self.hop.commands[-1].split(" ")[0].upper()
            goes_on = self.say(verb) and (verb != "DATA" or self.read_mail())

    def read_mail(self) -> bool:
        """Whether the conversation goes on after it."""
        if not self.hop.replies.get("DATA", "354").startswith("354"):
            return True
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in {b"", b".\r\n"}:
            lines.append(line)
        if not line:
            return False
        self.hop.mails.append(b"".join(lines))
        return self.say(".")

    def say(self, verb: str) -> bool:
        words = self.hop.reply(verb)
        if words == CUT:
            return False
        self.wfile.write(f"{words}\r\n".encode())
        return not words.startswith("421")


@pytest.fixture
def hop() -> Iterator[ScriptedHop]:
    scripted = ScriptedHop()
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), type("Handler", (ScriptHandler,), {"hop": scripted}))
    server.daemon_threads = True
    scripted.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield scripted
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def create_smtp() -> Iterator[Callable[..., SmtpClient]]:
    """Makes clients that are closed after the test."""
    clients: list[SmtpClient] = []

    def create(port: int, **changes: object) -> SmtpClient:
        values = {"environment": Environment.LOCAL, "host": "127.0.0.1", "port": port, "timeout": 3.0} | changes
        client = SmtpClient(SmtpConfig.model_construct(**values))  # type: ignore[arg-type]
        clients.append(client)
        return client

    yield create
    for client in clients:
        with closing(client):
            pass


@pytest.fixture
def claim() -> EmailClaim:
    return EmailClaim(
        fence=1,
        email_id=uuid4(),
        sender="Broadsheet <no-reply@broadsheet.example>",
        recipient="reader@example.org",
        message_id="<edition-1@broadsheet.example>",
        date=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
    )


@pytest.fixture
def content() -> EmailContent:
    return EmailContent(subject="Morning edition", text="Good morning\n.\n..\nbye\n", html="<p>Good <b>morning</b></p>")


@pytest.fixture
def mail(claim: EmailClaim, content: EmailContent) -> OutgoingMail:
    return build_mail(claim, content)
