"""The command line, and the health check that looks at files."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from worker.__main__ import check_health, parse_arguments
from worker.canary import STALE_SECONDS, compute_age, is_fresh, touch_canary


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKER_STATE_DIR", str(tmp_path))
    return tmp_path


def run_python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """With these variables and no other."""
    environment = {"PATH": os.environ["PATH"], **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603


class TestParseArguments:
    @pytest.mark.parametrize(("command", "concurrency"), [("mail", 2), ("cpu", 1), ("beat", 0)])
    def test_valid(self, command: str, concurrency: int) -> None:
        arguments = parse_arguments([command])
        assert (arguments.command, arguments.concurrency) == (command, concurrency)

    def test_concurrency(self) -> None:
        assert parse_arguments(["mail", "--concurrency", "4"]).concurrency == 4

    @pytest.mark.parametrize("argv", [[], ["flower"], ["health"], ["health", "--queue", "nothing"]])
    def test_wrong(self, argv: list[str]) -> None:
        with pytest.raises(SystemExit):
            parse_arguments(argv)


class TestCanary:
    def test_never(self) -> None:
        assert compute_age("mail") is None
        assert check_health("mail") == 1

    def test_fresh(self) -> None:
        touch_canary("mail")
        assert is_fresh("mail")
        assert check_health("mail") == 0
        assert check_health("cpu") == 1

    def test_stale(self, state: Path) -> None:
        touch_canary("mail")
        before = time.time() - STALE_SECONDS - 1
        os.utime(state / "mail", (before, before))
        assert check_health("mail") == 1


class TestCommand:
    def test_health(self, state: Path) -> None:
        touch_canary("mail")
        done = run_python("-m", "worker", "health", "--queue", "mail", WORKER_STATE_DIR=str(state))
        assert (done.returncode, done.stderr) == (0, "")
        assert "last sign of life 0 s ago" in done.stdout

    def test_health_is_cheap(self) -> None:
        """It runs every few seconds in every container: neither Celery nor pydantic."""
        code = "import sys, worker.__main__; print([m for m in ('celery', 'pydantic', 'chassis') if m in sys.modules])"
        assert run_python("-c", code).stdout.strip() == "[]"

    @pytest.mark.parametrize(
        ("command", "variables", "words"),
        [
            ("beat", {}, "REDIS_URL is not set"),
            ("mail", {"REDIS_URL": "redis://x"}, "AUTH_URL is not set"),
            (
                "mail",
                {
                    "REDIS_URL": "redis://x",
                    "AUTH_URL": "http://x",
                    "POSTS_URL": "http://x",
                    "NOTIFICATIONS_URL": "http://x",
                },
                "SERVICE_CLIENT_ID is not set",
            ),
        ],
    )
    def test_missing_setting(self, state: Path, command: str, variables: dict[str, str], words: str) -> None:
        done = run_python("-m", "worker", command, ENVIRONMENT="local", WORKER_STATE_DIR=str(state), **variables)
        assert done.returncode == 78
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1

    def test_light_imports(self) -> None:
        """Mail workers do without parser and highlighter, and no worker needs the web framework or the database."""
        code = (
            "import sys, worker.app, worker.startup\n"
            "worker.app.app.loader.import_default_modules()\n"
            "heavy = ('fastapi', 'sqlalchemy', 'asyncpg', 'uvicorn', 'markdown_it', 'nh3', 'pygments.lexers.python')\n"
            "print([name for name in heavy if name in sys.modules])"
        )
        done = run_python("-c", code, ENVIRONMENT="local", REDIS_URL="redis://x")
        assert done.stdout.strip() == "[]", done.stderr
