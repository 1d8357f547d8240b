"""`make migration SERVICE=posts SLUG=add_subtitle`: writes what the models have and the migrations lack as a new one.

Compared with a throwaway PostgreSQL that the migrations so far have built. Read and correct what was written: Alembic
sees neither renamed columns nor what existing rows need.
"""

import argparse
import asyncio
import re
import sys
from pathlib import Path
from typing import Final

from alembic import command
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from chassis.migrations import create_alembic_config, upgrade
from embedded.exceptions import EmbeddedError
from embedded.postgres import EmbeddedPostgres

ROOT: Final = Path(__file__).resolve().parents[1]
SLUG: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def main() -> None:
    """Write one file; a wrong name is one line."""
    parser = argparse.ArgumentParser(prog="make migration", description=__doc__)
    parser.add_argument("service")
    parser.add_argument("slug")
    arguments = parser.parse_args()
    migrations = ROOT / "services" / arguments.service / "migrations"
    if not arguments.service or not migrations.is_dir():
        services = ", ".join(sorted(path.parent.name for path in ROOT.glob("services/*/migrations")))
        sys.exit(f"make migration: SERVICE must be one of {services}")
    if not SLUG.fullmatch(arguments.slug):
        sys.exit("make migration: SLUG must say what changes in lower case, such as SLUG=add_subtitle")
    try:
        with EmbeddedPostgres(None, durable=False) as server:
            asyncio.run(write_migration(server.dsn(), migrations, arguments.slug))
    except EmbeddedError as error:
        sys.exit(f"make migration: {error}")


async def write_migration(dsn: str, migrations: Path, slug: str) -> None:
    """Bring an empty database to the newest version, and write the rest of the way to the models."""
    engine = create_async_engine(dsn.replace("postgresql:", "postgresql+asyncpg:", 1))
    try:
        await upgrade(engine, migrations)
        async with engine.connect() as connection:
            await connection.run_sync(_run_revision, migrations, slug)
    finally:
        await engine.dispose()


def _run_revision(connection: Connection, migrations: Path, slug: str) -> None:
    config = create_alembic_config(migrations)
    config.attributes["connection"] = connection
    command.revision(config, message=slug, autogenerate=True)


if __name__ == "__main__":
    main()
