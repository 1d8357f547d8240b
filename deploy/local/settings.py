"""Where the platform runs on this machine: its folder and its ports, from the environment."""

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from embedded.ports import LOOPBACK, is_port_taken

ROOT: Final = Path(__file__).resolve().parents[2]
# In this order they follow BROADSHEET_PORT_BASE.
DEFAULT_PORTS: Final = {
    "gateway": 8080,
    "auth": 8001,
    "posts": 8002,
    "notifications": 8003,
    "status": 8004,
    "postgres": 8010,
    "redis": 8011,
    "smtp": 8025,
    "mailbox": 8026,
}
HIGHEST_PORT: Final = 65535
# Below the range that the kernel takes for outgoing connections: a port stays ours while its server restarts.
QUIET_PORTS: Final = range(12_000, 32_000)


class SettingsError(Exception):
    """The platform cannot start as it is asked to; the message is one line that names what to change."""


def get_port_variable(name: str) -> str:
    """Return the variable that sets the port of this part."""
    return f"BROADSHEET_{name.upper()}_PORT"


@dataclass(frozen=True)
class LocalSettings:
    """The data folder and a port for each part, by its name."""

    data: Path
    ports: Mapping[str, int]
    verbose: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, *, ephemeral: Path | None = None) -> Self:
        """Read BROADSHEET_* and VERBOSE; an ephemeral platform gets that folder, and free ports where none is set.

        Raises SettingsError.
        """
        folder = Path(environment.get("BROADSHEET_DATA") or ROOT / ".local")
        return cls(
            data=(ephemeral or folder).absolute(),
            ports=_read_ports(environment, pick_free=ephemeral is not None),
            verbose=environment.get("VERBOSE", "") not in ("", "0"),
        )

    @property
    def logs(self) -> Path:
        """The folder with one log for each process."""
        return self.data / "logs"

    def get_address(self, name: str) -> str:
        """Return host and port of a part, as in 127.0.0.1:8001."""
        return f"{LOOPBACK}:{self.ports[name]}"

    def get_url(self, name: str) -> str:
        """Return the HTTP address of a part."""
        return f"http://{self.get_address(name)}"

    def check_ports(self) -> None:
        """Raise SettingsError when two parts share a port or somebody else listens on one."""
        owners: dict[int, str] = {}
        for name, port in self.ports.items():
            other = owners.setdefault(port, name)
            if other != name:
                message = f"{get_port_variable(other)} and {get_port_variable(name)} are both {port}"
                raise SettingsError(message)
            if is_port_taken(port):
                message = f"port {port} ({name}) is taken: end what listens there, or set {get_port_variable(name)}"
                raise SettingsError(message)


def _read_ports(environment: Mapping[str, str], *, pick_free: bool) -> dict[str, int]:
    ports = dict(DEFAULT_PORTS)
    if pick_free:
        ports = _pick_free_ports()
    if base_text := environment.get("BROADSHEET_PORT_BASE"):
        base = _read_port("BROADSHEET_PORT_BASE", base_text)
        ports = {name: base + offset for offset, name in enumerate(DEFAULT_PORTS)}
    for name in DEFAULT_PORTS:
        variable = get_port_variable(name)
        if text := environment.get(variable):
            ports[name] = _read_port(variable, text)
    return ports


def _pick_free_ports() -> dict[str, int]:
    """From a random place on, so that two platforms that start at once do not choose the same."""
    start = random.randrange(len(QUIET_PORTS))  # noqa: S311 -- nothing secret about it
    candidates = (QUIET_PORTS[(start + step) % len(QUIET_PORTS)] for step in range(len(QUIET_PORTS)))
    free = (port for port in candidates if not is_port_taken(port))
    return dict(zip(DEFAULT_PORTS, free, strict=False))


def _read_port(variable: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= HIGHEST_PORT - len(DEFAULT_PORTS):
        message = f"{variable} must be a port number, not {text!r}"
        raise SettingsError(message)
    return int(text)
