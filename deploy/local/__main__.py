"""`python -m deploy.local`: everything `make run` does."""

import argparse
import fcntl
import http.client
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from deploy.local.child import ProcessPlan
from deploy.local.console import print_line
from deploy.local.credentials import SECRETS_FILE, load_secrets
from deploy.local.greeting import format_greeting
from deploy.local.plan import plan_platform
from deploy.local.settings import LocalSettings, SettingsError
from deploy.local.supervisor import StartupError, Supervisor, write_state

from embedded.exceptions import EmbeddedError
from embedded.ports import LOOPBACK
from embedded.postgres import EmbeddedPostgres
from embedded.valkey import EmbeddedValkey

START_SECONDS: Final = 120.0
HEALTH_SECONDS: Final = 2.0
ENVIRONMENT_HELP: Final = """environment:
  BROADSHEET_DATA          the folder with data, logs and secrets (.local)
  BROADSHEET_PORT_BASE     the first of nine ports in a row, for the parts below in their order
  BROADSHEET_GATEWAY_PORT  8080      BROADSHEET_AUTH_PORT           8001
  BROADSHEET_POSTS_PORT    8002      BROADSHEET_NOTIFICATIONS_PORT  8003
  BROADSHEET_STATUS_PORT   8004      BROADSHEET_POSTGRES_PORT       8010
  BROADSHEET_REDIS_PORT    8011      BROADSHEET_SMTP_PORT           8025
  BROADSHEET_MAILBOX_PORT  8026
  VERBOSE                  1: show all logs, not only warnings and errors"""


def main() -> None:
    """Run until Ctrl-C; what cannot start says why in one line, with exit code 1."""
    arguments = _parse_arguments()
    started_at = time.monotonic()
    # Until the supervisor takes over, everything that asks for the end is the same as Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with _choose_folder(ephemeral=arguments.ephemeral) as folder:
            settings = LocalSettings.from_environment(ephemeral=folder)
            if arguments.reset and not (settings.data / SECRETS_FILE).exists():
                sys.exit(f"make reset: no platform ran in {settings.data}, nothing is removed")
            with _lock_folder(settings.data):
                if arguments.reset:
                    remove_data(settings.data)
                else:
                    settings.check_ports()
                    _run_platform(settings, arguments, started_at)
    except (SettingsError, EmbeddedError, StartupError) as error:
        sys.exit(f"make run: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description="The whole platform on this machine, in the foreground, until Ctrl-C.",
        epilog=ENVIRONMENT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--ephemeral",
        action="store_true",
        help="free ports, no fsync, and a folder that is removed at the end (BROADSHEET_DATA: one that stays)",
    )
    parser.add_argument(
        "--ports-file",
        type=Path,
        help="written when all is ready, and at every restart: JSON with addresses and process ids",
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--only-migrate", action="store_true", help="bring the databases to their newest shape, and end")
    only.add_argument("--reset", action="store_true", help="remove the folder with all data and secrets, and end")
    return parser.parse_args()


def _run_platform(settings: LocalSettings, arguments: argparse.Namespace, started_at: float) -> None:
    print_line("make run", f"starting in {settings.data}")
    postgres = EmbeddedPostgres(settings.data / "postgres", settings.ports["postgres"], durable=not arguments.ephemeral)
    valkey = EmbeddedValkey(settings.data / "redis", settings.ports["redis"])
    try:
        _empty_folders(settings.data / "tmp", settings.data / "worker")
        postgres.prepare()
        valkey.prepare()
        secrets = load_secrets(settings.data / SECRETS_FILE)
        plans = plan_platform(settings, secrets, postgres, valkey)
        if arguments.only_migrate:
            _migrate(plans, settings)
        else:
            supervisor = Supervisor(plans, settings.logs, verbose=settings.verbose)
            _supervise(supervisor, settings, arguments.ports_file, started_at)
    finally:
        postgres.stop()


def _empty_folders(*folders: Path) -> None:
    """Signs of life of the last run would say that this one is well."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)


def _migrate(plans: list[ProcessPlan], settings: LocalSettings) -> None:
    """Run the steps that end by themselves, and what they need."""
    needed = {name for plan in plans if plan.once for name in (plan.name, *plan.needs)}
    supervisor = Supervisor([plan for plan in plans if plan.name in needed], settings.logs, verbose=settings.verbose)
    supervisor.listen_for_signals()
    try:
        supervisor.start(lambda: True, START_SECONDS)
        print_line("make run", "the databases are up to date")
    finally:
        supervisor.stop()


def _supervise(supervisor: Supervisor, settings: LocalSettings, ports_file: Path | None, started_at: float) -> None:
    supervisor.listen_for_signals()
    try:
        supervisor.start(partial(_is_healthy, settings.ports["gateway"]), START_SECONDS)
        if not supervisor.must_end:
            if ports_file:
                supervisor.on_change = partial(_write_ports_file, ports_file, settings, supervisor)
                supervisor.on_change()
            print(format_greeting(settings, time.monotonic() - started_at), flush=True)
            supervisor.run()
        print_line("make run", "ending")
    finally:
        supervisor.stop()
        if ports_file:
            ports_file.unlink(missing_ok=True)


def remove_data(folder: Path) -> None:
    """Remove a folder that a platform ran in, also what lies elsewhere for it."""
    cluster = folder / "postgres"
    if cluster.is_symlink():
        shutil.rmtree(cluster.resolve(), ignore_errors=True)
    shutil.rmtree(folder)
    print_line("make run", f"removed {folder}")


def _write_ports_file(path: Path, settings: LocalSettings, supervisor: Supervisor) -> None:
    state = {
        "launcher": os.getpid(),
        "data": str(settings.data),
        "logs": str(settings.logs),
        "addresses": {name: settings.get_address(name) for name in settings.ports},
        "processes": supervisor.describe(),
    }
    write_state(path, state)


def _is_healthy(gateway_port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, gateway_port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def _choose_folder(*, ephemeral: bool) -> Iterator[Path | None]:
    """Yield the folder of an ephemeral platform, and None for the usual one."""
    if not ephemeral:
        yield None
    elif folder := os.environ.get("BROADSHEET_DATA"):
        yield Path(folder)
    else:
        temporary = Path(tempfile.mkdtemp(prefix="broadsheet-"))
        # PostgreSQL's user must pass through, and see nothing.
        temporary.chmod(0o711)
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Hold the folder: two platforms in one would destroy each other's work. Raises SettingsError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = f"a platform runs in {folder} already: end it, or set BROADSHEET_DATA to another folder"
            raise SettingsError(message) from error
        yield


if __name__ == "__main__":
    main()
