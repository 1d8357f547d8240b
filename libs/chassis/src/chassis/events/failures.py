"""Which failures are the event's, and which are those of a world that is away for a while."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chassis.database.errors import TRANSIENT_ERRORS
from chassis.events.exceptions import HandlerFailedError
from chassis.http.exceptions import UpstreamError
from chassis.problems import ServiceUnavailableError


def is_service_away(error: BaseException) -> bool:
    return isinstance(error, (UpstreamError, ServiceUnavailableError))


def is_database_away(error: BaseException) -> bool:
    """Whether the same may well succeed when the database is back, or less busy.

    A statement that is cancelled for its length is not one of them: a handler that takes too long always will.
    """
    if isinstance(error, HandlerFailedError):
        return False
    if isinstance(error, DBAPIError):
        return isinstance(error.driver_exception, TRANSIENT_ERRORS) or _is_lost_connection(error)
    return isinstance(error, (*TRANSIENT_ERRORS, PoolTimeoutError, OSError))


def _is_lost_connection(error: DBAPIError) -> bool:
    timed_out = isinstance(error.driver_exception, asyncpg.IdleInTransactionSessionTimeoutError)
    return error.connection_invalidated and not timed_out
