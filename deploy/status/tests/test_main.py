"""The process: what it says when it cannot start."""

import os
import socket
import subprocess
import sys

import pytest

WELL = {"ENVIRONMENT": "local", "STATUS_SERVICES": "auth=http://127.0.0.1:8001"}


def run_status(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m status` until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "status"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class TestMain:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"ENVIRONMENT": "moon"}, "ENVIRONMENT: Input should be"),
            ({"STATUS_SERVICES": "auth"}, "STATUS_SERVICES: Value error, must be a list such as"),
            ({"STATUS_SERVICES": "auth=ftp:nowhere"}, "STATUS_SERVICES: "),
            ({"PORT": "0"}, "PORT: Input should be greater than or equal to 1"),
        ],
    )
    def test_invalid_variable(self, change: dict[str, str], words: str) -> None:
        ended = run_status(**{**WELL, **change})

        assert ended.returncode == 1
        assert ended.stderr.startswith(f"status: {words}")
        assert len(ended.stderr.splitlines()) == 1

    def test_missing_variables(self) -> None:
        ended = run_status()

        assert ended.returncode == 1
        assert "ENVIRONMENT is not set" in ended.stderr
        assert "STATUS_SERVICES is not set" in ended.stderr

    def test_taken_port(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = str(listener.getsockname()[1])
            ended = run_status(**WELL, PORT=port)

        assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
        assert port in ended.stderr
