"""The processes of the platform, and what each is told by its environment."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from deploy.local.child import Order, ProcessPlan
from deploy.local.settings import ROOT, LocalSettings, SettingsError

from embedded.ports import LOOPBACK, can_connect
from embedded.postgres import EmbeddedPostgres
from embedded.valkey import EmbeddedValkey

SERVICES: Final = ("auth", "posts", "notifications")
DATABASES_SCRIPT: Final = ROOT / "deploy" / "postgres" / "init" / "10-databases.sh"
CADDYFILE: Final = ROOT / "deploy" / "gateway" / "Caddyfile"
Environment = Mapping[str, str]
# All people here come from one address. What protects an account stays as it is everywhere.
ADDRESS_LIMITS: Final = {
    f"LIMITS_{rule}": "10000/minute"
    for rule in ("SIGN_UP", "LOGIN_ADDRESS", "TOKEN", "RESEND", "RESET", "CONFIRM", "AUTHORIZE", "INTROSPECT")
}


def plan_platform(
    settings: LocalSettings, secrets: Environment, postgres: EmbeddedPostgres, valkey: EmbeddedValkey
) -> list[ProcessPlan]:
    """Return all processes. Those on the longest way to being ready come first, as they start in this order."""
    return [
        *plan_back_ends(settings, secrets, postgres, valkey),
        *(plan_migration(settings, secrets, service) for service in SERVICES),
        *(plan_api(settings, secrets, service) for service in SERVICES),
        plan_gateway(settings),
        plan_status(settings),
        plan_mailbox(settings),
        *(plan_background(settings, secrets, service) for service in SERVICES),
        *(plan_worker(settings, secrets, command) for command in ("mail", "cpu", "beat")),
    ]


def plan_back_ends(
    settings: LocalSettings, secrets: Environment, postgres: EmbeddedPostgres, valkey: EmbeddedValkey
) -> list[ProcessPlan]:
    """PostgreSQL with a database for each service, and Valkey."""
    programs = Path(postgres.get_binary("psql")).parent
    databases_env = {
        **os.environ,
        **{name: value for name, value in secrets.items() if name.endswith("_DATABASE_PASSWORD")},
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PGHOST": postgres.host,
        "PGPORT": str(postgres.port),
        "PGUSER": postgres.superuser,
        "PGPASSWORD": postgres.password,
        # What lies in /run/secrets on this machine is not about this platform.
        "SECRETS_DIR": os.devnull,
    }
    return [
        ProcessPlan(
            "postgres",
            postgres.command,
            Order.BACK_END,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            is_ready=postgres.is_ready,
            account=postgres.account,
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
            # A fast shutdown: what is committed is on disk, nobody is waited for.
            death_signal=signal.SIGINT,
        ),
        ProcessPlan(
            "databases", ["bash", str(DATABASES_SCRIPT)], Order.BACK_END, databases_env, needs=("postgres",), once=True
        ),
        ProcessPlan("redis", valkey.command, Order.BACK_END, os.environ, is_ready=_listens(settings, "redis")),
    ]


def plan_migration(settings: LocalSettings, secrets: Environment, service: str) -> ProcessPlan:
    """Bring the database of a service to its newest shape."""
    return ProcessPlan(
        f"{service}-migrate",
        [sys.executable, "-m", service, "migrate"],
        Order.API,
        _get_service_env(settings, secrets, service),
        needs=("databases",),
        once=True,
        cwd=ROOT,
    )


def plan_api(settings: LocalSettings, secrets: Environment, service: str) -> ProcessPlan:
    """The API process of a service; it starts without its database and says at /readyz when that is there."""
    return ProcessPlan(
        service,
        [sys.executable, "-m", service, "api"],
        Order.API,
        _get_service_env(settings, secrets, service),
        is_ready=_listens(settings, service),
        cwd=ROOT,
    )


def plan_background(settings: LocalSettings, secrets: Environment, service: str) -> ProcessPlan:
    """The process that pulls the feeds of other services, and sends hints."""
    return ProcessPlan(
        f"{service}-background",
        [sys.executable, "-m", service, "background"],
        Order.BACKGROUND,
        _get_service_env(settings, secrets, service),
        needs=(f"{service}-migrate", "redis"),
        # It touches this file while all its tasks run (chassis.background).
        is_ready=lambda _: (settings.data / "tmp" / f"{service}-background-alive").exists(),
        cwd=ROOT,
    )


def plan_worker(settings: LocalSettings, secrets: Environment, command: str) -> ProcessPlan:
    """A Celery worker, or the beat."""
    env = {
        **_get_common_env(settings),
        "SERVICE_CLIENT_ID": "worker",
        "SERVICE_CLIENT_SECRET": secrets["CLIENTS_WORKER_SECRET"],
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(settings.ports["smtp"]),
        "WORKER_STATE_DIR": str(settings.data / "worker"),
    }
    return ProcessPlan(
        command if command == "beat" else f"worker-{command}",
        [sys.executable, "-m", "worker", command],
        Order.WORKER,
        env,
        # What beat sends makes the workers ask all services for work; before their tables are there, they have none.
        needs=("redis", *(f"{service}-migrate" for service in SERVICES)) if command == "beat" else ("redis",),
        cwd=ROOT,
    )


def plan_gateway(settings: LocalSettings) -> ProcessPlan:
    """Caddy, from the scripts folder of this Python's environment."""
    caddy = Path(sys.executable).with_name("caddy")
    if not caddy.exists():
        message = f"{caddy} is missing: run `make setup`"
        raise SettingsError(message)
    env = {
        **os.environ,
        "GATEWAY_ADDRESS": f":{settings.ports['gateway']}",
        "GATEWAY_BIND": LOOPBACK,
        "GATEWAY_UPSTREAMS": "static",
        **{f"{name.upper()}_UPSTREAM": settings.get_address(name) for name in (*SERVICES, "status")},
        "XDG_DATA_HOME": str(settings.data / "caddy"),
        "XDG_CONFIG_HOME": str(settings.data / "caddy"),
    }
    argv = [str(caddy), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    return ProcessPlan("gateway", argv, Order.GATEWAY, env, is_ready=_listens(settings, "gateway"), cwd=ROOT)


def plan_status(settings: LocalSettings) -> ProcessPlan:
    """The page at / and the health of all services at /healthz."""
    env = {
        **_get_common_env(settings),
        "PORT": str(settings.ports["status"]),
        "STATUS_SERVICES": ",".join(f"{service}={settings.get_url(service)}" for service in SERVICES),
        "MAILBOX_URL": settings.get_url("mailbox"),
    }
    argv = [sys.executable, "-m", "status"]
    return ProcessPlan("status", argv, Order.API, env, is_ready=_listens(settings, "status"), cwd=ROOT)


def plan_mailbox(settings: LocalSettings) -> ProcessPlan:
    """Takes all mail and shows it."""
    env = {
        **_get_common_env(settings),
        "SMTP_PORT": str(settings.ports["smtp"]),
        "MAILBOX_PORT": str(settings.ports["mailbox"]),
        "MAILBOX_DATA": str(settings.data / "mailbox"),
    }
    argv = [sys.executable, "-m", "devmailbox"]
    return ProcessPlan("mailbox", argv, Order.BACK_END, env, is_ready=_listens(settings, "mailbox"), cwd=ROOT)


def _get_common_env(settings: LocalSettings) -> dict[str, str]:
    return {
        **os.environ,
        "ENVIRONMENT": "local",
        "LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
        # Signs of life lie there; those of another platform on this machine elsewhere.
        "TMPDIR": str(settings.data / "tmp"),
        "HOST": LOOPBACK,
        "REDIS_URL": f"redis://{settings.get_address('redis')}/0",
        "PUBLIC_URL": settings.get_url("gateway"),
        **{f"{service.upper()}_URL": settings.get_url(service) for service in SERVICES},
    }


def _get_service_env(settings: LocalSettings, secrets: Environment, service: str) -> dict[str, str]:
    env = {
        **_get_common_env(settings),
        "PORT": str(settings.ports[service]),
        "DATABASE_HOST": LOOPBACK,
        "DATABASE_PORT": str(settings.ports["postgres"]),
        "DATABASE_NAME": service,
        "DATABASE_USER": service,
        "DATABASE_PASSWORD": secrets[f"{service.upper()}_DATABASE_PASSWORD"],
    }
    if service == "auth":
        own = {name: value for name, value in secrets.items() if not name.endswith("_DATABASE_PASSWORD")}
        # Whoever sets one of them by hand means it.
        return ADDRESS_LIMITS | env | own
    client_secret = secrets[f"CLIENTS_{service.upper()}_SECRET"]
    return env | {"SERVICE_CLIENT_ID": service, "SERVICE_CLIENT_SECRET": client_secret}


def _listens(settings: LocalSettings, name: str) -> Callable[[int], bool]:
    return lambda _pid: can_connect(settings.ports[name])
