"""The secrets of the platform on this machine: made once, kept in one file that only its owner reads."""

import base64
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

SECRETS_FILE: Final = "secrets.env"
"""In the folder of the platform."""


def make_password() -> str:
    """Return a secret of 256 random bits that needs no quoting anywhere."""
    return secrets.token_urlsafe(32)


def make_encryption_key() -> str:
    """Return a key as Fernet takes it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


SECRETS: Final[Mapping[str, Callable[[], str]]] = {
    "AUTH_DATABASE_PASSWORD": make_password,
    "POSTS_DATABASE_PASSWORD": make_password,
    "NOTIFICATIONS_DATABASE_PASSWORD": make_password,
    "KEYS_ENCRYPTION_KEY": make_encryption_key,
    "CONFIRMATION_SECRET": make_password,
    "CLIENTS_POSTS_SECRET": make_password,
    "CLIENTS_NOTIFICATIONS_SECRET": make_password,
    "CLIENTS_WORKER_SECRET": make_password,
}


def load_secrets(path: Path) -> dict[str, str]:
    """Return all secrets by name; those that the file lacks are made and added to it."""
    known = _read_file(path) if path.exists() else {}
    missing = {name: make() for name, make in SECRETS.items() if not known.get(name)}
    if missing:
        _write_file(path, known | missing)
    return known | missing


def _read_file(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _write_file(path: Path, values: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    # Nobody else can read it, not even for the moment between making and filling it.
    draft.touch(mode=0o600)
    lines = ["# Made by `make run` for this folder alone. Without this file its data cannot be used.", ""]
    draft.write_text("\n".join([*lines, *(f"{name}={value}" for name, value in values.items()), ""]))
    draft.replace(path)
