"""The command line, up to the moment at which processes would start; the journeys in tests/e2e go further."""

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from deploy.local.settings import ROOT

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run_launcher(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        own = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
        return subprocess.run(
            [sys.executable, "-m", "deploy.local", *arguments],
            cwd=ROOT,
            env={**own, "BROADSHEET_DATA": str(tmp_path / "data"), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    return run_launcher


class TestStart:
    def test_taken_port_is_one_line(self, run: Run, tmp_path: Path) -> None:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            port = server.getsockname()[1]
            done = run("--ephemeral", BROADSHEET_STATUS_PORT=str(port))
        assert done.returncode == 1
        assert done.stderr.splitlines() == [
            f"make run: port {port} (status) is taken: end what listens there, or set BROADSHEET_STATUS_PORT"
        ]
        assert [path.name for path in (tmp_path / "data").iterdir()] == ["lock"]

    def test_bad_port_is_one_line(self, run: Run) -> None:
        done = run(BROADSHEET_REDIS_PORT="high")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "make run: BROADSHEET_REDIS_PORT must be a port number, not 'high'\n"

    def test_conflict(self, run: Run, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        folder.mkdir()
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = run("--ephemeral")
        assert done.returncode == 1
        assert done.stderr.startswith(f"make run: a platform runs in {folder} already")

    def test_help_names_every_variable(self, run: Run) -> None:
        done = run("--help")
        for name in ("DATA", "PORT_BASE", "GATEWAY_PORT", "POSTGRES_PORT", "REDIS_PORT", "MAILBOX_PORT"):
            assert f"BROADSHEET_{name} " in done.stdout


class TestReset:
    def test_valid(self, run: Run, tmp_path: Path) -> None:
        folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
        folder.mkdir()
        elsewhere.mkdir()
        (folder / "secrets.env").touch()
        (folder / "postgres").symlink_to(elsewhere)
        assert run("--reset").returncode == 0
        assert not folder.exists()
        assert not elsewhere.exists()

    def test_foreign_folder(self, run: Run, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        folder.mkdir()
        (folder / "letter.txt").write_text("dear diary")
        done = run("--reset")
        assert done.returncode == 1
        assert "nothing is removed" in done.stderr
        assert (folder / "letter.txt").exists()
