"""The platform as the compose project, with the test mailbox in the place of the mail catcher for people."""

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[4]
PROJECT = "broadsheet-e2e"
START_SECONDS = 900
GATEWAY_PORT = os.environ.get("E2E_GATEWAY_PORT", "18080")
MAILBOX_PORT = os.environ.get("E2E_MAILBOX_PORT", "18026")
FILES = ("docker-compose.yml", "docker-compose.override.yml", "deploy/compose.e2e.yml")
COMPOSE = ("docker", "compose", "-p", PROJECT, *(option for file in FILES for option in ("-f", file)))

NOTHING_TO_KILL = re.compile("ended with 137|is not running|stopped state|is restarting|init-p: broken pipe")


class ComposePlatform:
    kind = "compose"
    base_url = f"http://127.0.0.1:{GATEWAY_PORT}"
    mailbox_url = f"http://127.0.0.1:{MAILBOX_PORT}"

    def __enter__(self) -> Self:
        self._run("down", "--volumes", "--remove-orphans")
        self._run("up", "--detach", "--build", "--wait", "--wait-timeout", str(START_SECONDS), show=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("down", "--volumes", "--remove-orphans", "--timeout", "20")

    async def kill(self, name: str) -> None:
        """Docker does not restart what `docker kill` ended, so the crash comes from inside the container.

        Process 1, the init, cannot be killed from there: all others are, and it follows them.
        """
        crash = "import os, signal; os.kill(-1, signal.SIGKILL)"
        try:
            await self._run_async("exec", "--no-TTY", name, "python", "-c", crash)
        except RuntimeError as error:
            # It is caught in its own crash (137), or there is nothing to kill: the container is between another and the
            # restart, or ends so while this one begins.
            if not NOTHING_TO_KILL.search(str(error)):
                raise

    async def restart(self, name: str) -> None:
        await self._run_async("restart", "--timeout", "20", name)

    async def pause(self, name: str) -> None:
        await self._run_async("pause", name)

    async def resume(self, name: str) -> None:
        await self._run_async("unpause", name)

    async def wipe_redis(self) -> None:
        wipe = 'redis-cli --no-auth-warning -u "$(cat /run/secrets/redis_url)" flushall'
        await self._run_async("exec", "--no-TTY", "redis", "sh", "-c", wipe)

    async def grant_role(self, email: str, role: str) -> None:
        await self._run_async("exec", "--no-TTY", "auth", "python", "-m", "auth", "admin", "grant", email, role)

    async def scale(self, name: str, replicas: int) -> None:
        """Returns when all are healthy."""
        await self._run_async("up", "--detach", "--no-recreate", "--wait", "--scale", f"{name}={replicas}", name)

    async def list_replicas(self, name: str, text: str) -> set[str]:
        """Those with this text in their logs."""
        lines = (await self._run_async("logs", "--no-color", name)).splitlines()
        return {line.partition("|")[0].strip() for line in lines if text in line}

    async def read_logs(self, name: str) -> str:
        return await self._run_async("logs", "--no-color", "--no-log-prefix", name)

    def read_all_logs(self) -> str:
        return self._run("logs", "--no-color", "--tail", "200")

    async def list_unhealthy(self) -> list[str]:
        output = await self._run_async("ps", "--all", "--format", "json")
        containers: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
        return [container["Service"] for container in containers if not is_well(container)]

    async def _run_async(self, *arguments: str) -> str:
        return await asyncio.to_thread(self._run, *arguments)

    def _run(self, *arguments: str, show: bool = False) -> str:
        environment = os.environ | {
            "BROADSHEET_GATEWAY_PORT": GATEWAY_PORT,
            "BROADSHEET_MAILBOX_PORT": MAILBOX_PORT,
            "PUBLIC_URL": self.base_url,
        }
        done = subprocess.run(
            [*COMPOSE, *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=None if show else subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"docker compose {' '.join(arguments)} ended with {done.returncode}: {done.stdout[-2000:]}"
            )
        return done.stdout


def is_well(container: dict[str, Any]) -> bool:
    """A one-shot step has ended with 0; all others run and, where they can tell, are healthy."""
    if container["State"] == "exited":
        return bool(container["ExitCode"] == 0)
    return container["State"] == "running" and container.get("Health") in {"", "healthy", "starting", None}
