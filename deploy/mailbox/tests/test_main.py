"""The process: what it reads from the environment, and what it says when it cannot start."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devmailbox.config import ConfigError, MailboxConfig


def run_mailbox(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m devmailbox` until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "devmailbox"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class TestMailboxConfig:
    def test_defaults(self) -> None:
        assert MailboxConfig.from_environment({}) == MailboxConfig()

    def test_valid(self) -> None:
        environment = {"HOST": "0.0.0.0", "SMTP_PORT": "25", "MAILBOX_PORT": "80", "MAILBOX_KEEP": "5"}  # noqa: S104 (in a container)

        config = MailboxConfig.from_environment({**environment, "MAILBOX_DATA": "/data"})

        assert config == MailboxConfig("0.0.0.0", 25, 80, 5, Path("/data"))  # noqa: S104 (in a container)

    @pytest.mark.parametrize("value", ["abc", "-1", "70000", "²"])
    def test_invalid(self, value: str) -> None:
        with pytest.raises(ConfigError, match="SMTP_PORT must be a whole number"):
            MailboxConfig.from_environment({"SMTP_PORT": value})


class TestMain:
    def test_invalid_variable(self) -> None:
        ended = run_mailbox(MAILBOX_PORT="x")

        assert (ended.returncode, ended.stderr) == (
            1,
            "mailbox: MAILBOX_PORT must be a whole number from 0 to 65535, not 'x'\n",
        )

    @pytest.mark.parametrize(("taken", "other"), [("SMTP_PORT", "MAILBOX_PORT"), ("MAILBOX_PORT", "SMTP_PORT")])
    def test_taken_port(self, taken: str, other: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            ended = run_mailbox(**{taken: str(port), other: "0"})

        assert ended.returncode == 1
        assert str(port) in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
