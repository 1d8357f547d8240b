"""The command line of a service, as far as it is more than a call."""

import asyncio
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from chassis import cli
from chassis.cli import CONFIG_EXIT_CODE, OperatorCommand, ServiceCommands, run_service
from chassis.config import AppConfig, ConfigError, load_config
from chassis.contracts.posts import PostPublished
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.events.handlers import Handlers
from embedded.ports import get_free_port

RunCommand = Callable[..., int]


async def handle_post(*_: object) -> None:
    """Applies nothing."""


async def run_nothing() -> None:
    """A background process that ends at once."""


HANDLERS: dict[str, Handlers] = {"tests": {PostPublished: handle_post}}


def create_commands(**options: object) -> ServiceCommands:
    values = {"name": "tests", "create_app": FastAPI, "run_background": run_nothing, "migrations": Path(), **options}
    return ServiceCommands(**values)  # type: ignore[arg-type]


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch) -> RunCommand:
    """The exit code of `python -m tests` with these words."""
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    load_config.cache_clear()

    def run(commands: ServiceCommands, *words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["tests", *words])
        try:
            run_service(commands)
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    return run


class TestDead:
    async def test_valid(
        self,
        committed_database: Database,
        run_command: RunCommand,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        configs = {DatabaseConfig: committed_database.config, AppConfig: load_config(AppConfig)}
        monkeypatch.setattr(cli, "load_config", configs.get)
        commands = create_commands(handlers=HANDLERS)
        assert await asyncio.to_thread(run_command, commands, "dead", "list") == 0
        assert capsys.readouterr().out == "no dead events\n"
        for action in ("replay", "drop"):
            event_id = str(uuid.uuid4())
            assert await asyncio.to_thread(run_command, commands, "dead", action, event_id) == 1
            assert capsys.readouterr().err == f"tests: there is no dead event {event_id}\n"

    def test_service_that_follows_nobody(self, run_command: RunCommand, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_command(create_commands(), "dead", "list") == CONFIG_EXIT_CODE
        assert "follows no events" in capsys.readouterr().err

    @pytest.mark.parametrize("words", [["dead"], ["dead", "drop"], ["dead", "drop", "7"], ["bury"], []])
    def test_words_that_make_no_command(self, run_command: RunCommand, words: list[str]) -> None:
        assert run_command(create_commands(), *words) == 2


async def say(*words: str) -> list[str]:
    return ["said:", *words]


async def refuse() -> list[str]:
    raise ConfigError("not today")


class TestTools:
    commands = create_commands(
        tools=[
            OperatorCommand("sails", "set", "set some", ("mast", "number"), say),
            OperatorCommand("anchor", "weigh", "weigh it", (), refuse),
            OperatorCommand("sails", "furl", "furl all", (), say),
        ]
    )

    @pytest.mark.parametrize(
        ("words", "lines"), [(["sails", "set", "main", "3"], "said:\nmain\n3\n"), (["sails", "furl"], "said:\n")]
    )
    def test_valid(
        self, run_command: RunCommand, capsys: pytest.CaptureFixture[str], words: list[str], lines: str
    ) -> None:
        assert run_command(self.commands, *words) == 0
        assert capsys.readouterr().out == lines

    def test_refused(self, run_command: RunCommand, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_command(self.commands, "anchor", "weigh") == CONFIG_EXIT_CODE
        assert capsys.readouterr().err == "tests: not today\n"

    @pytest.mark.parametrize("words", [["sails"], ["sails", "weigh"], ["sails", "set", "main"], ["anchor", "furl"]])
    def test_words_that_make_no_command(self, run_command: RunCommand, words: list[str]) -> None:
        assert run_command(self.commands, *words) == 2


class TestBackground:
    def test_metrics_have_a_port_of_their_own(self, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
        port = get_free_port()
        url = f"http://127.0.0.1:{port}/metrics"
        monkeypatch.setenv("METRICS_PORT", str(port))
        answers: list[httpx.Response] = []

        async def scrape() -> None:
            async with httpx.AsyncClient(trust_env=False) as client:
                answers.append(await client.get(url))

        assert run_command(create_commands(run_background=scrape), "background") == 0
        assert "event_loop_lag_seconds_bucket" in answers[0].text
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)

    def test_no_port(self, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("METRICS_PORT", raising=False)
        assert run_command(create_commands(), "background") == 0

    def test_port_that_is_taken(
        self, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        port = get_free_port()
        monkeypatch.setenv("METRICS_PORT", str(port))

        async def start_another() -> None:
            load_config.cache_clear()
            assert await asyncio.to_thread(run_command, create_commands(), "background") == 1

        assert run_command(create_commands(run_background=start_another), "background") == 0
        assert "Address already in use" in capsys.readouterr().err
