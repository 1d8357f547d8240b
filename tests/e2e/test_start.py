"""A start that cannot work ends with one line that names what to change, and no stack trace."""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from e2e.platform import Platform

ROOT = Path(__file__).parents[2]
SERVICES = ("auth", "posts", "notifications")
COMPLETE = {
    "ENVIRONMENT": "local",
    "DATABASE_HOST": "127.0.0.1",
    "DATABASE_NAME": "nowhere",
    "DATABASE_USER": "nobody",
    "DATABASE_PASSWORD": "x" * 40,
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "AUTH_URL": "http://127.0.0.1:1",
    "POSTS_URL": "http://127.0.0.1:1",
    "SERVICE_CLIENT_ID": "somebody",
    "SERVICE_CLIENT_SECRET": "x" * 40,
    "CONFIRMATION_SECRET": "x" * 40,
}


async def run_to_the_end(*arguments: str, environment: Mapping[str, str], seconds: float = 60) -> tuple[int, str]:
    """Exit code and what was written, of a command that is expected to end."""
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, cwd=ROOT, env={**base, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, output.decode()


def get_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestService:
    @pytest.mark.parametrize("service", SERVICES)
    @pytest.mark.parametrize("command", ["api", "background", "migrate"])
    async def test_missing_variable_is_named(self, service: str, command: str) -> None:
        environment = {name: value for name, value in COMPLETE.items() if name != "DATABASE_PASSWORD"}
        code, output = await run_to_the_end(service, command, environment=environment)
        assert code != 0
        assert "DATABASE_PASSWORD is not set" in output
        assert "Traceback" not in output
        assert len(output.strip().splitlines()) == 1

    @pytest.mark.parametrize("service", SERVICES)
    async def test_environment_must_be_chosen(self, service: str) -> None:
        code, output = await run_to_the_end(service, "api", environment={})
        assert code != 0
        assert "ENVIRONMENT is not set" in output
        assert "Traceback" not in output

    @pytest.mark.parametrize("service", SERVICES)
    async def test_placeholder_secret_is_refused_in_production(self, service: str) -> None:
        changes = {"ENVIRONMENT": "production", "DATABASE_PASSWORD": "change-me-change-me-change-me-change-me"}
        code, output = await run_to_the_end(service, "migrate", environment=COMPLETE | changes)
        assert code != 0
        assert "DATABASE_PASSWORD is a placeholder" in output
        assert "Traceback" not in output

    async def test_database_not_up_yet_is_waited_for_with_one_line(self) -> None:
        environment = COMPLETE | {"DATABASE_PORT": str(get_free_port())}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "posts", "migrate", cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environment}, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        try:
            line = await asyncio.wait_for(process.stderr.readline(), 30)
            assert line.decode().strip() == "posts: waiting for the database"
        finally:
            process.terminate()
            rest = await process.stderr.read()
            await process.wait()
        assert b"Traceback" not in rest


class TestMakeRun:
    async def test_taken_port_is_named_with_its_variable(self, platform: Platform, tmp_path: Path) -> None:
        port = platform.base_url.rpartition(":")[2]
        environment = {"BROADSHEET_GATEWAY_PORT": port, "BROADSHEET_DATA": str(tmp_path)}
        code, output = await run_to_the_end("deploy.local", "--ephemeral", environment=environment)
        assert code == 1
        last = output.strip().splitlines()[-1]
        assert port in last
        assert "BROADSHEET_GATEWAY_PORT" in last
        assert "Traceback" not in output


class TestMakeOperate:
    @pytest.mark.parametrize(
        ("arguments", "told"), [((), "say which command"), (("auth", "audit", "verify"), "start one with: make run")]
    )
    async def test_what_is_missing_is_told_in_one_line(
        self, tmp_path: Path, arguments: tuple[str, ...], told: str
    ) -> None:
        code, output = await run_to_the_end(
            "deploy.local.operate", *arguments, environment={"BROADSHEET_DATA": str(tmp_path)}
        )
        assert code == 1
        assert told in output
        assert output.count("\n") == 1
