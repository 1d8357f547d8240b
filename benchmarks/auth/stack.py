"""Auth as it runs: its own API process, on a PostgreSQL that keeps what it commits, and Valkey."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.local.credentials import SECRETS
from deploy.local.plan import ADDRESS_LIMITS

from chassis.testing.databases import execute_as_superuser
from embedded.ports import LOOPBACK, get_free_port
from embedded.postgres import EmbeddedPostgres
from embedded.processes import read_last_words, spawn, stop_process, wait_for_start
from embedded.valkey import EmbeddedValkey

START_SECONDS: Final = 30


class AuthStack:
    """Its settings are put into this process' environment, so that parts of the service can be called here as well."""

    def __init__(self) -> None:
        self.postgres = EmbeddedPostgres(None)
        self.valkey = EmbeddedValkey()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(self.postgres)
            opening.enter_context(self.valkey)
            self._folder = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="broadsheet-bench-")))
            asyncio.run(execute_as_superuser(self.postgres, "create database auth"))
            os.environ.update(self._create_environment())
            subprocess.run([sys.executable, "-m", "auth", "migrate"], check=True, stdout=subprocess.DEVNULL)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @contextmanager
    def run_api(self, module: str = "auth", **settings: str) -> Iterator[int]:
        """The port of an API process with these settings."""
        port, log = get_free_port(), self._folder / "api.log"
        command = [sys.executable, "-m", module, "api"]
        process = spawn(command, log=log, env={**os.environ, "PORT": str(port), **settings})
        try:
            if not wait_for_start(process, lambda: is_ready(port), START_SECONDS):
                raise RuntimeError(f"auth did not start: {read_last_words(log)}")
            time.sleep(1)  # what a start leaves to do
            yield port
        finally:
            stop_process(process)

    def _create_environment(self) -> dict[str, str]:
        """Limits by address let in all people, who come from one here; each request counts in them all the same."""
        return {
            **{name: make() for name, make in SECRETS.items()},
            **ADDRESS_LIMITS,
            "ENVIRONMENT": "local",
            "DATABASE_HOST": self.postgres.host,
            "DATABASE_PORT": str(self.postgres.port),
            "DATABASE_NAME": "auth",
            "DATABASE_USER": self.postgres.superuser,
            "DATABASE_PASSWORD": self.postgres.password,
            "REDIS_URL": self.valkey.url,
        }


def is_ready(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
