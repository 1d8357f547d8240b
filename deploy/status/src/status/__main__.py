"""`python -m status`: serves the page until a signal ends it."""

import socket
import sys

import uvicorn

from status.app import create_app
from status.config import ConfigError, load_config

GRACE_SECONDS = 2


def main() -> None:
    """Run; a wrong variable or a taken port is one line and exit code 1."""
    try:
        config = load_config()
        listener = _listen(config.host, config.port)
    except (ConfigError, OSError) as error:
        sys.exit(f"status: {error}")
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(config),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    with listener:
        server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; its error names the address, which the system's own does not."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error


if __name__ == "__main__":
    main()
