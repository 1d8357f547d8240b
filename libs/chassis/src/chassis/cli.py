"""`python -m <service> api|background|migrate|openapi|dead`: the processes of a service, and its operator's tools."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import uvicorn
import uvloop
from fastapi import FastAPI

from chassis.config import AppConfig, ConfigError, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.events.exceptions import DeadEventMissingError, DeadEventStaysError
from chassis.events.handlers import Handlers
from chassis.logs import configure_logging
from chassis.loop import freeze_loaded_objects, watch_loop
from chassis.metrics import serve_metrics

CONFIG_EXIT_CODE = 78  # EX_CONFIG: a supervisor need not try again


@dataclass(frozen=True)
class OperatorCommand:
    """A tool of one service alone: `python -m <service> <name> <action> <arguments>`.

    `run` gets its arguments and returns the lines to print; what it cannot do it says by a ConfigError. Tools of one
    name stand beside each other.
    """

    name: str
    action: str
    help: str
    arguments: Sequence[str]
    run: Callable[..., Awaitable[list[str]]]


@dataclass(frozen=True)
class ServiceCommands:
    """What the processes of a service run. `migrations` is the folder with its `env.py`.

    `handlers` of each consumer by its name, all its feeds in one: what dead events are replayed with.
    """

    name: str
    create_app: Callable[[], FastAPI]
    run_background: Callable[[], Awaitable[None]]
    migrations: Path
    after_migrate: Callable[[], Awaitable[None]] | None = None
    handlers: Mapping[str, Handlers] = field(default_factory=dict)
    tools: Sequence[OperatorCommand] = ()


def run_service(commands: ServiceCommands) -> None:
    """Parse the command line and run; what cannot start says why in one line."""
    arguments = _create_parser(commands).parse_args()
    try:
        _run_command(commands, arguments)
    except ConfigError as error:
        sys.exit(_fail(commands.name, str(error), CONFIG_EXIT_CODE))
    except (OSError, DeadEventMissingError, DeadEventStaysError) as error:
        sys.exit(_fail(commands.name, str(error), 1))
    except KeyboardInterrupt:
        sys.exit(130)


def _create_parser(commands: ServiceCommands) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {commands.name}")
    processes = parser.add_subparsers(dest="command", required=True)
    api = processes.add_parser("api", help="answer requests")
    api.add_argument("--reload", action="store_true", help="start anew when a file changes")
    processes.add_parser("background", help="follow other services' events, tell the worker, keep house")
    processes.add_parser("migrate", help="bring the database to the newest version")
    processes.add_parser("openapi", help="print the description of the API")
    dead = processes.add_parser("dead", help="events that could not be applied").add_subparsers(
        dest="action", required=True
    )
    dead.add_parser("list", help="the oldest first, with their errors")
    dead.add_parser("replay", help="apply one after all").add_argument("event_id", type=UUID)
    dead.add_parser("drop", help="give one up for good").add_argument("event_id", type=UUID)
    for name in dict.fromkeys(tool.name for tool in commands.tools):
        tools = [tool for tool in commands.tools if tool.name == name]
        _add_actions(processes.add_parser(name, help=", ".join(tool.action for tool in tools)), tools)
    return parser


def _add_actions(parser: argparse.ArgumentParser, tools: Sequence[OperatorCommand]) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    for tool in tools:
        action = actions.add_parser(tool.action, help=tool.help)
        for argument in tool.arguments:
            action.add_argument(argument)
        action.set_defaults(tool=tool)


async def _run_tool(tool: OperatorCommand, arguments: argparse.Namespace) -> None:
    print("\n".join(await tool.run(*(getattr(arguments, name) for name in tool.arguments))))


def _run_command(commands: ServiceCommands, arguments: argparse.Namespace) -> None:
    if arguments.command == "openapi":
        print(json.dumps(commands.create_app().openapi(), indent=2, sort_keys=True))
        return
    config = load_config(AppConfig)
    configure_logging(config.log_level, config.log_format, service=commands.name)
    if arguments.command == "api":
        run_api(commands, config, reload=arguments.reload)
    elif arguments.command == "background":
        with (
            serve_metrics(config.metrics_host, config.metrics_port),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_run_watched(commands.run_background))
    elif hasattr(arguments, "tool"):
        asyncio.run(_run_tool(arguments.tool, arguments))
    elif arguments.command == "dead":
        asyncio.run(_treat_dead_events(commands, arguments))
    else:
        from chassis.migrations import migrate  # noqa: PLC0415 - the API process must not carry Alembic

        asyncio.run(migrate(commands.name, commands.migrations, commands.after_migrate))


async def _run_watched(run: Callable[[], Awaitable[None]]) -> None:
    freeze_loaded_objects()
    with watch_loop():
        await run()


async def _treat_dead_events(commands: ServiceCommands, arguments: argparse.Namespace) -> None:
    from chassis.events.commands import drop_dead, list_dead, replay_dead  # noqa: PLC0415 - brings the inbox's tables

    if not commands.handlers:
        raise ConfigError("follows no events, so none can be dead")
    database = Database(load_config(DatabaseConfig))
    try:
        if arguments.action == "list":
            lines = await list_dead(database)
        elif arguments.action == "replay":
            lines = await replay_dead(database, commands.handlers, arguments.event_id)
        else:
            lines = await drop_dead(database, arguments.event_id)
    finally:
        await database.close()
    print("\n".join(lines))


def run_api(commands: ServiceCommands, config: AppConfig, *, reload: bool) -> None:
    """One process under uvicorn, for development; containers run gunicorn (deploy/gunicorn.conf.py)."""
    commands.create_app()  # a setting that is missing must be told here, in one line, not from inside uvicorn
    freeze_loaded_objects()
    uvicorn.run(
        f"{commands.name}.main:create_app",
        factory=True,
        host=config.host,
        port=config.port,
        reload=reload,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=75,
    )


def _fail(name: str, message: str, code: int) -> int:
    print(f"{name}: {message}", file=sys.stderr)
    return code
