"""Everything that a database holds, as text: for tests that look for what should be gone from it."""

import re

from sqlalchemy import text

from chassis.database.engine import Database

BYTES = re.compile(r"\\+x((?:[0-9a-f]{2})+)")
LIST_TABLES = """
    select relname from pg_class
    where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace
      and relname <> 'alembic_version'
    order by relname
"""


async def dump_tables(database: Database) -> dict[str, list[str]]:
    """The rows of each table, those without a model included, in lower case; bytes as far as they can be read."""
    async with database.transaction() as session:
        names = (await session.scalars(text(LIST_TABLES))).all()
        dump = {}
        for name in names:
            rows = await session.scalars(text(f'select lower(t::text) from "{name}" t'))  # noqa: S608 - from pg_class
            dump[name] = [BYTES.sub(_decode, row) for row in rows]
    return dump


def _decode(match: "re.Match[str]") -> str:
    return bytes.fromhex(match[1]).decode("latin-1").lower()
