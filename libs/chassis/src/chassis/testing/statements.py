"""Counts the SQL statements of a block, for tests that state what a route may cost."""

from collections.abc import Iterator
from contextlib import contextmanager

from chassis.testing.databases import RolledBackDatabase

BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


@contextmanager
def record_statements(database: RolledBackDatabase) -> Iterator[list[str]]:
    """The statements of the block, in order, without those that only frame a transaction."""
    start = len(database.statement_log)
    seen: list[str] = []
    try:
        yield seen
    finally:
        statements = database.statement_log[start:]
        seen += [statement for statement in statements if not statement.lstrip().upper().startswith(BOOKKEEPING)]
