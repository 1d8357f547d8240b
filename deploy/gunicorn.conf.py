"""How the API of a service runs in a container: gunicorn with its own ASGI worker, one process by default."""

import importlib
import ipaddress
import os
import socket
import sys
from pathlib import Path

from chassis.cli import CONFIG_EXIT_CODE
from chassis.config import ConfigError
from chassis.loop import freeze_loaded_objects

ROUTES = Path("/proc/net/route")


def find_network(address: str, routes: str) -> str:
    """The network of this container that an address belongs to, as a CIDR block; `routes` is Linux's table."""
    for line in routes.splitlines()[1:]:
        fields = line.split()
        destination, gateway, mask = (int.from_bytes(bytes.fromhex(fields[i]), "little") for i in (1, 2, 7))
        network = ipaddress.ip_network((destination, mask.bit_count()))
        if gateway == 0 and mask and ipaddress.ip_address(address) in network:
            return str(network)
    raise LookupError(f"{address} is in none of this container's networks")


def find_trusted_network(name: str) -> str:
    """Where X-Forwarded-* are believed: the network in which this container has this name, with the gateway in it.

    Its addresses are Docker's choice, so they are looked up. Without a name nobody is believed but this machine.
    """
    return find_network(socket.gethostbyname(name), ROUTES.read_text()) if name else "127.0.0.1"


member = os.environ["MEMBER"]
wsgi_app = f"{member}.main:create_app()"
worker_class = "asgi"
asgi_loop = "uvloop"
asgi_lifespan = "on"

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 (inside a container)
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))

# Longer than the gateway keeps an idle connection (3 s): it, not we, closes first, so no request meets a closing one.
keepalive = 5
# Docker waits 30 s (stop_grace_period) before it kills.
graceful_timeout = 20
# A worker whose event loop stands still for so long is replaced.
timeout = 30
max_requests = 50_000
max_requests_jitter = 5_000

# The root file system is read-only: heartbeats go to memory, and nobody steers a container by a socket.
worker_tmp_dir = "/dev/shm"  # noqa: S108 (a tmpfs of this container)
control_socket_disable = True

# The chassis writes the access log, and configures all logging.
accesslog = None
errorlog = "-"
loglevel = "warning"

forwarded_allow_ips = find_trusted_network(os.environ.get("GATEWAY_NETWORK_NAME", ""))


def on_starting(_: object) -> None:
    """Make the app once before any worker does: a setting that is missing is one line here, in a worker two traces."""
    module = importlib.import_module(f"{member}.main")
    try:
        module.create_app()
    except ConfigError as error:
        print(f"{member}: {error}", file=sys.stderr)
        sys.exit(CONFIG_EXIT_CODE)


def post_worker_init(_: object) -> None:
    freeze_loaded_objects()
