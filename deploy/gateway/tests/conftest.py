"""The real gateway, Caddy with our Caddyfile, in front of small servers that tell what reached them."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from embedded.ports import can_connect, get_free_port

CADDYFILE = Path(__file__).parents[1] / "Caddyfile"
CADDY = Path(sys.executable).with_name("caddy")
START_SECONDS = 20
SERVICES = ("auth", "posts", "notifications", "status")


class EchoHandler(BaseHTTPRequestHandler):
    """Answers with what it was sent, and does what the path asks for."""

    protocol_version = "HTTP/1.1"
    server: "EchoServer"

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 (the library's names)

    def _answer(self) -> None:
        self.server.begun[self.path] += 1
        body = self._read_body()
        self.server.seen[self.path] += 1
        if body is None:
            self.close_connection = True
            return
        if "/breaks-once/" in self.path and self.server.seen[self.path] == 1:
            self.close_connection = True
            return
        if "/streams" in self.path:
            self._stream()
            return
        echo = {"service": self.server.name, "path": self.path, "headers": dict(self.headers), "length": len(body)}
        content = json.dumps({**echo, "filling": "x" * 2000}).encode()
        self.send_response(413 if self.path == "/too-large" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.server.name == "notifications":
            # It comes and goes; an open connection would outlive it.
            self.send_header("Connection", "close")
        if "/with-headers" in self.path:
            self.send_header("ETag", '"v1"')
            self.send_header("Content-Security-Policy", "default-src 'self'")
        self.end_headers()
        self.wfile.write(content)

    def _read_body(self) -> bytes | None:
        """The whole body; None where it broke off."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while line := self.rfile.readline():
            size = int(line, 16)
            body += self.rfile.read(size + 2)[:size]
            if size == 0:
                return body
        return None

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        self.server.may_go_on.wait(10)
        self.wfile.write(b"data: second\n\n")

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at answers."""


class EchoServer(ThreadingHTTPServer):
    """One service behind the gateway."""

    daemon_threads = True

    def __init__(self, name: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), EchoHandler)
        self.name = name
        self.begun: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.may_go_on = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self.shutdown()
        self.server_close()


@dataclass
class Gateway:
    """The running gateway: its address, the servers behind it by name, and the file of its log."""

    url: str
    log: Path
    ports: dict[str, int]
    servers: dict[str, EchoServer] = field(default_factory=dict)

    def start_service(self, name: str) -> EchoServer:
        """Let a service listen on its port."""
        self.servers[name] = EchoServer(name, self.ports[name])
        return self.servers[name]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for a module; `notifications` is away."""
    folder = tmp_path_factory.mktemp("gateway")
    ports = {name: get_free_port() for name in ("gateway", *SERVICES)}
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "GATEWAY_ADDRESS": f":{ports['gateway']}",
        **{f"{name.upper()}_UPSTREAM": f"127.0.0.1:{ports[name]}" for name in SERVICES},
    }
    running = Gateway(f"http://127.0.0.1:{ports['gateway']}", folder / "log", ports)
    argv = [str(CADDY), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    with running.log.open("wb") as log, subprocess.Popen(argv, env=env, stdout=log, stderr=log) as process:
        try:
            for name in ("auth", "posts", "status"):
                running.start_service(name)
            wait_for(lambda: can_connect(ports["gateway"]), process, running.log)
            yield running
        finally:
            process.terminate()
            for server in running.servers.values():
                server.close()


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway.url, timeout=20, trust_env=False) as client:
        yield client


def wait_for(is_true: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the gateway listens; fail with its own words when it ended."""
    deadline = time.monotonic() + START_SECONDS
    while not is_true():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        threading.Event().wait(0.02)
