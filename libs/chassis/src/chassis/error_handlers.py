"""How an exception becomes a problem document: one place for all services."""

import errno
import json
import re
import socket
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import asyncpg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from chassis.database.errors import TRANSIENT_ERRORS
from chassis.logs import get_logger
from chassis.problems import PROBLEM_MEDIA_TYPE, ProblemError, ServiceUnavailableError, create_problem

logger = get_logger(__name__)

# To somebody who waits, a query that takes too long and a pool that is empty look the same as a database that is away.
DATABASE_AWAY = (
    *TRANSIENT_ERRORS,
    asyncpg.InterfaceError,
    asyncpg.QueryCanceledError,
    PoolTimeoutError,
    # Refused, timed out, no route, a host name that is not known while its container is down.
    OSError,
)
NO_ROUTE = frozenset({errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN})

HTTP_CODES = {400: "malformed_body", 404: "route_not_found", 405: "method_not_allowed", 413: "content_too_large"}
UNREADABLE = "The body could not be read: it is not UTF-8, or not what its type says."


def create_problem_response(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers=dict(headers or {}), media_type=PROBLEM_MEDIA_TYPE)


async def send_problem(error: ProblemError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer from inside an ASGI middleware."""
    await create_problem_response(error.status, error.to_dict(), error.headers)(scope, receive, send)


async def handle_problem(_: Request, error: Exception) -> Response:
    problem = cast("ProblemError", error)
    return create_problem_response(problem.status, problem.to_dict(), problem.headers)


async def handle_http_exception(_: Request, error: Exception) -> Response:
    http_error = cast("HTTPException", error)
    status = http_error.status_code
    # Python's own phrases change between versions (413, 422); these codes do not.
    code = HTTP_CODES.get(status) or HTTPStatus(status).name.lower()
    detail = UNREADABLE if code == "malformed_body" else None
    return create_problem_response(status, create_problem(status, code, detail=detail), http_error.headers)


async def handle_validation_error(_: Request, error: Exception) -> Response:
    """422 with the field and the rule. The input is not repeated: it may be a password."""
    errors = [_describe_field(item) for item in cast("RequestValidationError", error).errors()]
    body = create_problem(422, "validation_failed", title="The input is not valid", extra={"errors": errors})
    return create_problem_response(422, body)


def _describe_field(item: Mapping[str, Any]) -> dict[str, str]:
    message = str(item["msg"]).removeprefix("Value error, ")
    # To pydantic the length of a secret counts "items" of a "value"; people type characters.
    message = re.sub(r"^Value should (.*) items? after validation", r"Value should \1 characters", message)
    return {"field": ".".join(str(part) for part in item["loc"]), "code": str(item["type"]), "message": message}


async def handle_database_error(request: Request, error: Exception) -> Response:
    """The database is away: 503 and come back. Anything else of it is a fault of ours."""
    cause = error.driver_exception if isinstance(error, DBAPIError) else error
    if _is_away(cause):
        logger.warning("database_away", reason=type(cause).__name__)
        return await handle_problem(request, ServiceUnavailableError("The database is not reachable.", retry_after=2))
    return await handle_unexpected_error(request, error)


def _is_away(cause: BaseException | None) -> bool:
    """In a request an OSError may be of a file as well, and then it is a fault of ours."""
    if isinstance(cause, OSError) and not isinstance(cause, (ConnectionError, TimeoutError, socket.gaierror)):
        return cause.errno in NO_ROUTE
    return isinstance(cause, DATABASE_AWAY)


async def handle_unexpected_error(request: Request, error: Exception) -> Response:
    logger.error("unexpected_error", method=request.method, exc_info=error)
    return create_problem_response(500, create_problem(500, "internal_error"))


def install_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ProblemError, handle_problem)
    app.add_exception_handler(HTTPException, handle_http_exception)
    app.add_exception_handler(RequestValidationError, handle_validation_error)
    app.add_exception_handler(DBAPIError, handle_database_error)
    for error_class in DATABASE_AWAY:
        app.add_exception_handler(error_class, handle_database_error)
