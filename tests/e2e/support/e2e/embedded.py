"""The platform as `make run` starts it, on free ports and in a folder of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import redis.asyncio

from e2e.polling import wait_until

ROOT = Path(__file__).parents[4]
START_SECONDS = 120
STOP_SECONDS = 60
LOG_TAIL = 100
# All journeys happen while the signing keys change again and again, as in deploy/compose.e2e.yml.
ROTATION = {"KEYS_ROTATION_PERIOD": "PT20S", "KEYS_NEXT_MIN_AGE": "PT20S"}


class EmbeddedPlatform:
    kind = "embedded"

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="broadsheet-e2e-")
        self._ports_file = Path(self._folder.name) / "ports.json"
        self._output = Path(self._folder.name) / "output.log"

    @property
    def launcher_pid(self) -> int:
        return self._launcher.pid

    @property
    def base_url(self) -> str:
        return f"http://{self._state['addresses']['gateway']}"

    @property
    def mailbox_url(self) -> str:
        return f"http://{self._state['addresses']['mailbox']}"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "deploy.local", "--ephemeral", "--ports-file", str(self._ports_file)]
        with self._output.open("wb") as output:
            self._launcher = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | ROTATION, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._ports_file.exists():
            if self._launcher.poll() is not None or time.monotonic() > deadline:
                self._launcher.kill()
                raise RuntimeError(f"the platform did not start:\n{self._output.read_text()[-4000:]}")
            self._launcher_waits()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._launcher.send_signal(signal.SIGINT)
        self._launcher.wait(STOP_SECONDS)
        self._folder.cleanup()

    async def kill(self, name: str) -> None:
        await self._end(name, signal.SIGKILL)

    async def restart(self, name: str) -> None:
        """The launcher starts again what has ended."""
        await self._end(name, signal.SIGINT if name == "postgres" else signal.SIGTERM)

    async def pause(self, name: str) -> None:
        """With its children, as Docker does: the connections of PostgreSQL are processes of their own."""
        self._signal_all(name, signal.SIGSTOP)

    async def resume(self, name: str) -> None:
        self._signal_all(name, signal.SIGCONT)

    async def wipe_redis(self) -> None:
        async with redis.asyncio.Redis.from_url(f"redis://{self._state['addresses']['redis']}/0") as client:
            await client.flushall()

    async def grant_role(self, email: str, role: str) -> None:
        """With the settings of the running service, as its operator has them."""
        environment = psutil.Process(self._get_pid("auth")).environ()
        command = [sys.executable, "-m", "auth", "admin", "grant", email, role]
        await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, check=True)

    async def read_logs(self, name: str) -> str:
        return await asyncio.to_thread((Path(self._state["logs"]) / f"{name}.log").read_text)

    def read_all_logs(self) -> str:
        logs = sorted(Path(self._state["logs"]).glob("*.log"))
        tails = ("\n".join(log.read_text().splitlines()[-LOG_TAIL:]) for log in logs)
        return "\n".join(f"== {log.stem}\n{tail}" for log, tail in zip(logs, tails, strict=True))

    async def list_unhealthy(self) -> list[str]:
        return [name for name, pid in (await self._read_pids()).items() if pid is None]

    def _signal_all(self, name: str, number: signal.Signals) -> None:
        parent = psutil.Process(self._get_pid(name))
        parent.send_signal(number)
        for child in parent.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.send_signal(number)

    async def _end(self, name: str, number: signal.Signals) -> None:
        """Send the signal, and wait until another process stands in this one's place."""
        pid = self._get_pid(name)
        os.kill(pid, number)
        await wait_until(self._read_pids, lambda pids: pids.get(name) not in {pid, None}, seconds=60)

    async def _read_pids(self) -> dict[str, int | None]:
        return {name: process["pid"] for name, process in self._state["processes"].items()}

    def _get_pid(self, name: str) -> int:
        return int(self._state["processes"][name]["pid"])

    @property
    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._ports_file.read_text())
        return state

    def _launcher_waits(self) -> None:
        try:
            self._launcher.wait(0.1)
        except subprocess.TimeoutExpired:
            return
