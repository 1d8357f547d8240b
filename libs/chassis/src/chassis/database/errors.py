"""What errors of the database mean, in one place: it decides what is unique, not a query before.

ConstraintViolatedError  a constraint that nobody answers for was violated: a fault of ours
"""

import asyncpg
from sqlalchemy.exc import IntegrityError

from chassis.logs import get_logger
from chassis.problems import ConflictError, ProblemError

# PostgreSQL is away, restarting or full, or others were in the way: the same may well succeed a moment later.
TRANSIENT_ERRORS = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)

logger = get_logger(__name__)

_CONFLICTS: dict[str, type[ProblemError]] = {}


def register_conflict(constraint: str, error_class: type[ProblemError]) -> None:
    """Say which problem a violation of this constraint is (called beside the feature's exceptions)."""
    _CONFLICTS[constraint] = error_class


def get_constraint_name(error: IntegrityError) -> str | None:
    name: str | None = getattr(error.driver_exception, "constraint_name", None)
    return name


class ConstraintViolatedError(Exception):
    """Names the constraint, and does not repeat the row as the driver's text does: it may be somebody's address."""


def translate_integrity_error(error: IntegrityError) -> Exception:
    """A registered constraint's own problem, a plain conflict for what is there already; the rest is our fault."""
    constraint = get_constraint_name(error)
    error_class = _CONFLICTS.get(constraint or "")
    if error_class is not None:
        return error_class()
    sqlstate = getattr(error.driver_exception, "sqlstate", None)
    if isinstance(error.driver_exception, asyncpg.UniqueViolationError):
        logger.warning("conflict_not_registered", constraint=constraint, sqlstate=sqlstate)
        return ConflictError("The change conflicts with what is stored.")
    return ConstraintViolatedError(f"{constraint} ({sqlstate})")
