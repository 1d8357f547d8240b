"""`make secrets`: writes the secrets of the containers once, each to a file of its own, and their places to `.env`.

docker-compose.yml hands the files to the containers that need them, under /run/secrets. What is there already stays: a
database keeps the password that it was made with. `python -m deploy.write_secrets`; needs nothing but Python.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from deploy.local.credentials import SECRETS, make_password

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = "deploy/secrets"
# Compose mounts a file with the owner and the mode that it has here, whatever the compose file says, and the processes
# in the containers are neither root nor the user who runs this. So the files are readable and the folder is closed.
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o444


# The containers keep one more for each back end; the platform of `make run` needs none for these.
INDEPENDENT: Final[Mapping[str, Callable[[], str]]] = {
    "postgres_password": make_password,
    "redis_password": make_password,
    **{name.lower(): make for name, make in SECRETS.items()},
}
# Kept for what is made of it; no container sees it.
UNMOUNTED: Final = frozenset({"redis_password"})
# Made of another secret, in the form that their reader wants.
DERIVED: Final[Mapping[str, Callable[[Mapping[str, str]], str]]] = {
    "redis_url": lambda known: f"redis://default:{known['redis_password']}@redis:6379/0",
    # All that a broker is used for, and to wipe it, which loses nothing here; not to change the server itself.
    "redis_acl": lambda known: (
        f"user default on >{known['redis_password']} ~* &* +@all -@admin -@dangerous +info +flushall\n"
    ),
}


def write_secrets(folder: Path) -> list[str]:
    """Write what is missing; returns the names of what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    known = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    written = []
    for name, make in INDEPENDENT.items():
        if not known.get(name):
            known[name] = make()
            written.append(name)
    for name, derive in DERIVED.items():
        value = derive(known)
        if known.get(name) != value:
            known[name] = value
            written.append(name)
    for name in written:
        _write_file(folder / name, known[name])
    return written


def write_env(path: Path, example: Path, folder: str) -> bool:
    """Make `.env` from the example if there is none, and add the places of secrets that it lacks; tells a change."""
    before = path.read_text() if path.exists() else None
    text = example.read_text() if before is None else before
    names = {line.partition("=")[0].strip() for line in text.splitlines()}
    names_of_files = [name for name in (*INDEPENDENT, *DERIVED) if name not in UNMOUNTED]
    lines = [f"{name.upper()}_FILE={folder}/{name}" for name in names_of_files]
    missing = [line for line in lines if line.partition("=")[0] not in names]
    if missing:
        text = "\n".join([text.rstrip("\n"), *missing, ""]).lstrip("\n")
    if text == before:
        return False
    path.write_text(text)
    return True


def _write_file(path: Path, value: str) -> None:
    # Replaced, not rewritten: a running container keeps what it has.
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(value)
    draft.chmod(FILE_MODE)
    draft.replace(path)


def main() -> None:
    """Write to the repository's own places, or to others that were given."""
    parser = argparse.ArgumentParser(description="Write the secrets of the containers, once.")
    parser.add_argument("--folder", default=FOLDER, help="where to, seen from the folder of docker-compose.yml")
    parser.add_argument("--env", type=Path, default=ROOT / ".env", help="the file that compose reads variables from")
    arguments = parser.parse_args()
    try:
        written = write_secrets(ROOT / arguments.folder)
        changed = write_env(arguments.env, ROOT / ".env.example", arguments.folder)
    except OSError as error:
        sys.exit(f"secrets: {error}")
    print(f"secrets: {len(written)} written to {arguments.folder}/" if written else "secrets: all there")
    if changed:
        print(f"secrets: their places are in {arguments.env.name}")


if __name__ == "__main__":
    main()
