"""Where the mailbox listens and what it keeps, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


class ConfigError(Exception):
    """A variable that cannot be read; its text names the variable."""


@dataclass(frozen=True)
class MailboxConfig:
    """Addresses, the number of mails kept, and the folder they survive a restart in, if there is one."""

    host: str = "127.0.0.1"
    smtp_port: int = 8025
    http_port: int = 8026
    keep: int = 1000
    folder: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read HOST, SMTP_PORT, MAILBOX_PORT, MAILBOX_KEEP and MAILBOX_DATA; raises ConfigError."""
        folder = environment.get("MAILBOX_DATA", "")
        return cls(
            host=environment.get("HOST", cls.host),
            smtp_port=_read_number(environment, "SMTP_PORT", cls.smtp_port, least=0, most=65535),
            http_port=_read_number(environment, "MAILBOX_PORT", cls.http_port, least=0, most=65535),
            keep=_read_number(environment, "MAILBOX_KEEP", cls.keep, least=1, most=100_000),
            folder=Path(folder) if folder else None,
        )


def _read_number(environment: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        message = f"{name} must be a whole number from {least} to {most}, not {text!r}"
        raise ConfigError(message)
    return int(text)
