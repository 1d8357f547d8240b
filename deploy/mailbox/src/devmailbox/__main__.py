"""`python -m devmailbox` (the standard library has a `mailbox` already): both sides in one process."""

import asyncio
import logging
import socket
import sys

import uvicorn

from devmailbox.app import create_app
from devmailbox.behaviours import Behaviours
from devmailbox.config import ConfigError, MailboxConfig
from devmailbox.smtp import MailHandler, start_smtp
from devmailbox.store import MessageStore

GRACE_SECONDS = 2


def main() -> None:
    """Run; a wrong variable, a taken port or an unwritable folder is one line and exit code 1."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = MailboxConfig.from_environment()
        store = MessageStore(keep=config.keep, folder=config.folder)
        asyncio.run(serve(config, store))
    except (ConfigError, OSError) as error:
        sys.exit(f"mailbox: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


async def serve(config: MailboxConfig, store: MessageStore) -> None:
    """Listen for mail and for HTTP until a signal comes. Raises OSError where a port is taken."""
    behaviours = Behaviours()
    with _listen(config.host, config.http_port) as http_socket:
        smtp = await start_smtp(MailHandler(store, behaviours), host=config.host, port=config.smtp_port)
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(store, behaviours),
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        try:
            await server.serve(sockets=[http_socket])
        finally:
            behaviours.delete_behaviours()
            smtp.close()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; its error names the address, which the system's own does not."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror}"
        raise OSError(message) from error


if __name__ == "__main__":
    main()
