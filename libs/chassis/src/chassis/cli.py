"""`python -m <service> api|background|migrate|openapi`: the processes of a service."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import uvloop
from fastapi import FastAPI

from chassis.config import AppConfig, ConfigError, load_config
from chassis.logs import configure_logging

CONFIG_EXIT_CODE = 78  # EX_CONFIG: a supervisor need not try again


@dataclass(frozen=True)
class ServiceCommands:
    """What the processes of a service run. `migrations` is the folder with its `env.py`."""

    name: str
    create_app: Callable[[], FastAPI]
    run_background: Callable[[], Awaitable[None]]
    migrations: Path
    after_migrate: Callable[[], Awaitable[None]] | None = None


def run_service(commands: ServiceCommands) -> None:
    """Parse the command line and run; what cannot start says why in one line."""
    parser = argparse.ArgumentParser(prog=f"python -m {commands.name}")
    parser.add_argument("command", choices=["api", "background", "migrate", "openapi"])
    parser.add_argument("--reload", action="store_true", help="api: start anew when a file changes")
    arguments = parser.parse_args()
    try:
        _run_command(commands, arguments)
    except ConfigError as error:
        sys.exit(_fail(commands.name, str(error), CONFIG_EXIT_CODE))
    except OSError as error:
        sys.exit(_fail(commands.name, str(error), 1))
    except KeyboardInterrupt:
        sys.exit(130)


def _run_command(commands: ServiceCommands, arguments: argparse.Namespace) -> None:
    if arguments.command == "openapi":
        print(json.dumps(commands.create_app().openapi(), indent=2, sort_keys=True))
        return
    config = load_config(AppConfig)
    configure_logging(config.log_level, config.log_format, service=commands.name)
    if arguments.command == "api":
        run_api(commands, config, reload=arguments.reload)
    elif arguments.command == "background":
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_await(commands.run_background))
    else:
        from chassis.migrations import migrate  # noqa: PLC0415 - the API process must not carry Alembic

        asyncio.run(migrate(commands.name, commands.migrations, commands.after_migrate))


async def _await(run: Callable[[], Awaitable[None]]) -> None:
    await run()


def run_api(commands: ServiceCommands, config: AppConfig, *, reload: bool) -> None:
    """One process under uvicorn, for development; containers run gunicorn (deploy/gunicorn.conf.py)."""
    commands.create_app()  # a setting that is missing must be told here, in one line, not from inside uvicorn
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
