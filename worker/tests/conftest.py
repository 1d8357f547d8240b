"""The services that own jobs are played here by a small HTTP server with the rows' own rules: lease and fence.

Real are the broker (Valkey), the mail hop (aiosmtpd) and, where a test needs one, the worker process.
"""

import asyncio
import json
import os
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest

from chassis.config import load_config
from devmailbox.behaviours import Behaviour, Behaviours, Mode
from devmailbox.messages import Message
from devmailbox.smtp import MailHandler, start_smtp
from devmailbox.store import MessageStore
from embedded.valkey import EmbeddedValkey
from worker.client import get_owners
from worker.mail.service import get_smtp_client

os.environ.setdefault("ENVIRONMENT", "local")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")

TOKEN_PATH = "/auth/token"


@dataclass
class OwnedJob:
    """A row of a job's table, and what was reported on it."""

    task: str
    input: dict[str, Any]
    content: dict[str, Any] | None = None
    state: str = "queued"
    fence: int = 0
    reports: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@dataclass
class Owner:
    """Auth, posts and notifications in one, as far as the worker knows them."""

    port: int = 0
    jobs: dict[str, OwnedJob] = field(default_factory=dict)
    away: dict[str, int] = field(default_factory=dict)
    """Steps (`claim`, `content`, `dot`, `result`, `failure`, `due`, `token`) that are answered 503 so many times."""
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What happens just before a step is answered."""
    refusals: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """Steps that are answered with this status and problem."""
    headers: list[dict[str, str]] = field(default_factory=list)
    data: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What is held of a person: items by part, two on a page."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def create_email(self, **changes: Any) -> str:
        job_id = str(uuid4())
        claim = {
            "email_id": job_id,
            "sender": "Broadsheet <no-reply@broadsheet.example>",
            "recipient": f"{job_id[:8]}@example.org",
            "message_id": f"<{job_id}@broadsheet.example>",
            "date": "2026-11-22T08:00:00Z",
            "lease_ends_at": "2026-11-22T08:02:00Z",
        }
        content = {"subject": "Morning edition", "text": "Good morning\n", "html": "<p>Good <b>morning</b></p>"}
        for name, value in changes.items():
            (content if name in content else claim)[name] = value
        self.jobs[job_id] = OwnedJob("mail.send_email", claim, content)
        return job_id

    def create_rendering(self, markdown: str) -> str:
        job_id = str(uuid4())
        claim = {"rendering_id": job_id, "post_id": str(uuid4()), "version": 1, "markdown": markdown}
        self.jobs[job_id] = OwnedJob("posts.render_post", claim)
        return job_id

    def create_avatar(self, image: bytes) -> str:
        job_id = str(uuid4())
        self.jobs[job_id] = OwnedJob("auth.resize_avatar", {"avatar_id": job_id, "image": b64encode(image).decode()})
        return job_id

    def create_export(self, user_id: str) -> str:
        job_id = str(uuid4())
        self.jobs[job_id] = OwnedJob("auth.build_export", {"export_id": job_id, "user_id": user_id})
        return job_id

    def get_report(self, job_id: str, step: str) -> dict[str, Any] | None:
        return next((facts for name, facts in self.jobs[job_id].reports if name == step), None)

    def list_steps(self, job_id: str) -> list[str]:
        return [step for step, _ in self.jobs[job_id].reports]

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        *_, parent, step = urlsplit(path).path.split("/")
        self.before.get(step, lambda: None)()
        if self.away.get(step, 0) > 0:
            self.away[step] -= 1
            return 503, {"code": "service_unavailable"}
        if step in self.refusals:
            return self.refusals[step]
        if urlsplit(path).path == TOKEN_PATH:
            return 200, {"access_token": "a-token", "token_type": "bearer", "expires_in": 300}
        if step in {"due", "export-parts", "data"}:
            return 200, self.answer_list(step, dict(parse_qsl(urlsplit(path).query)))
        return self.answer_job(method, parent, step, body)

    def answer_list(self, step: str, query: dict[str, str]) -> dict[str, Any]:
        if step == "due":
            items = [{"task": job.task, "job_id": key} for key, job in self.jobs.items() if job.state == "queued"]
            return {"items": items}
        if step == "export-parts":
            return {"items": [{"name": name, "about": f"Your {name}", "page_limit": 2} for name in self.data]}
        return get_page(self.data, query)

    def answer_job(
        self, method: str, job_id: str, step: str, body: dict[str, Any]
    ) -> tuple[int, dict[str, Any] | None]:
        job = self.jobs.get(job_id)
        if job is None:
            return 404, {"code": "job_not_found"}
        if method == "GET":
            return 200, job.content
        return claim(job) if step == "claim" else take_report(job, step, body)


def get_page(data: dict[str, list[dict[str, Any]]], query: dict[str, str]) -> dict[str, Any]:
    start, items = int(query.get("cursor", 0)), data[query["part"]]
    end = start + int(query["limit"])
    return {"items": items[start:end], "next_cursor": str(end) if end < len(items) else None}


def claim(job: OwnedJob) -> tuple[int, dict[str, Any] | None]:
    if job.state != "queued":
        return 409, {"code": "job_not_claimable"}
    job.state, job.fence = "running", job.fence + 1
    return 200, {**job.input, "fence": job.fence}


def take_report(job: OwnedJob, step: str, body: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
    if body["fence"] == job.fence and {"result": "done", "failure": "failed"}.get(step) == job.state:
        return 204, None  # heard before
    if job.state != "running" or body["fence"] != job.fence:
        return 409, {"code": "stale_fence"}
    job.reports.append((step, body))
    job.state = {"result": "done", "failure": "failed"}.get(step, job.state)
    return 204, None


def create_handler(owner: Owner) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer: a second one would wait 40 ms for the acknowledgement of the first

        def do_GET(self) -> None:
            self.reply()

        def do_POST(self) -> None:
            self.reply()

        def reply(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(raw) if self.headers.get("Content-Type") == "application/json" else {}
            owner.headers.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            status, answer = owner.answer(self.command, self.path, body)
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Tests say what went wrong."""

    return Handler


@pytest.fixture
def owner() -> Iterator[Owner]:
    played = Owner()
    server = ThreadingHTTPServer(("127.0.0.1", 0), create_handler(played))
    played.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield played
    server.shutdown()
    server.server_close()
    thread.join()


class MailHop:
    """The platform's own mailbox on a loop of its own: real SMTP, and the bad days a test asks for."""

    def __init__(self) -> None:
        self.port = 0
        self._store = MessageStore(keep=1000)
        self._behaviours = Behaviours()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        self._thread.start()
        handler = MailHandler(self._store, self._behaviours)
        starting = asyncio.run_coroutine_threadsafe(start_smtp(handler, host="127.0.0.1", port=0), self._loop)
        self._server = starting.result(5)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._behaviours.delete_behaviours()
        if self._server is not None:
            self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def behave(self, mode: str, times: int | None = None) -> None:
        self._loop.call_soon_threadsafe(self._behaviours.update_behaviour, Behaviour(Mode(mode), times))

    def list_messages(self) -> list[Message]:
        return self._store.list_messages()


@pytest.fixture
def mail_hop() -> Iterator[MailHop]:
    hop = MailHop()
    hop.start()
    yield hop
    hop.stop()


@pytest.fixture
def valkey() -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey() as server:
        yield server


@pytest.fixture
def settings(
    owner: Owner, mail_hop: MailHop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """The environment of a worker that knows these two; configuration and clients are read anew from it."""
    variables = {
        "ENVIRONMENT": "local",
        "AUTH_URL": owner.url,
        "POSTS_URL": owner.url,
        "NOTIFICATIONS_URL": owner.url,
        "SERVICE_CLIENT_ID": "worker",
        "SERVICE_CLIENT_SECRET": "a-secret-of-the-tests-and-of-nobody-else",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mail_hop.port),
        "WORKER_STATE_DIR": str(tmp_path / "state"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    forget_process()
    yield variables
    forget_process()


def forget_process() -> None:
    load_config.cache_clear()
    if get_smtp_client.cache_info().currsize:
        get_smtp_client().close()
    get_smtp_client.cache_clear()
    if get_owners.cache_info().currsize:
        get_owners().close()
    get_owners.cache_clear()


@pytest.fixture
def job_id() -> str:
    return str(UUID(int=7))
