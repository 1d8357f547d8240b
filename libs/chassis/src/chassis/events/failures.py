"""Which failures are the event's, and which are those of a world that is away for a while."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chassis.events.exceptions import HandlerFailedError
from chassis.http.exceptions import UpstreamError
from chassis.problems import ServiceUnavailableError

# Not QueryCanceledError nor the idle-in-transaction timeout: an event whose handler takes too long always will.
_DATABASE_AWAY = (
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


def is_service_away(error: BaseException) -> bool:
    return isinstance(error, (UpstreamError, ServiceUnavailableError))


def is_database_away(error: BaseException) -> bool:
    """Whether the same may well succeed when the database is back, or less busy."""
    if isinstance(error, HandlerFailedError):
        return False
    if isinstance(error, DBAPIError):
        return isinstance(error.driver_exception, _DATABASE_AWAY) or _is_lost_connection(error)
    return isinstance(error, (*_DATABASE_AWAY, PoolTimeoutError, OSError))


def _is_lost_connection(error: DBAPIError) -> bool:
    timed_out = isinstance(error.driver_exception, asyncpg.IdleInTransactionSessionTimeoutError)
    return error.connection_invalidated and not timed_out
