"""Integrity errors become problems in one place: the database decides what is unique, not a query before."""

from sqlalchemy.exc import IntegrityError

from chassis.problems import ConflictError, ProblemError

_CONFLICTS: dict[str, type[ProblemError]] = {}


def register_conflict(constraint: str, error_class: type[ProblemError]) -> None:
    """Say which problem a violation of this constraint is (called beside the feature's exceptions)."""
    _CONFLICTS[constraint] = error_class


def get_constraint_name(error: IntegrityError) -> str | None:
    name: str | None = getattr(error.driver_exception, "constraint_name", None)
    return name


def translate_integrity_error(error: IntegrityError) -> ProblemError:
    """A registered constraint's own problem; for others a plain conflict that names no table."""
    error_class = _CONFLICTS.get(get_constraint_name(error) or "")
    return error_class() if error_class else ConflictError("The change conflicts with what is stored.")
