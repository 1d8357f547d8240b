"""TCP ports of this machine."""

import socket

LOOPBACK = "127.0.0.1"


def get_free_port(host: str = LOOPBACK) -> int:
    """Return a port that nobody listens on now; the kernel hands the same one out again only after many others."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def is_port_taken(port: int, host: str = LOOPBACK) -> bool:
    """Say whether a server could not listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: connections in TIME_WAIT from an earlier run do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False


def can_connect(port: int, host: str = LOOPBACK, timeout_seconds: float = 0.5) -> bool:
    """Say whether somebody accepts connections on this port."""
    try:
        with socket.create_connection((host, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False
