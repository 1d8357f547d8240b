"""The edge: one request, one transaction, committed before the answer leaves.

A dependency with `yield` would commit in time as well, at a price of 250 µs a request, and could not store
the answer of an `Idempotency-Key` in the same transaction; a route class sees both the session and the answer.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.errors import translate_integrity_error
from chassis.problems import ProblemError

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class TransactionalRoute(APIRoute):
    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_in_transaction(request: Request) -> Response:
            try:
                response = await handle(request)
                await _commit(request, response)
            except ProblemError as error:
                if error.keeps_changes:
                    await _commit(request)
                raise
            except IntegrityError as error:
                # The driver's text quotes the row, and would be logged with the chain.
                raise translate_integrity_error(error) from None
            finally:
                await _close(request)
            return response

        return handle_in_transaction


async def _commit(request: Request, response: Response | None = None) -> None:
    session: AsyncSession | None = getattr(request.state, "session", None)
    if session is None:
        return
    store_answer = getattr(request.state, "store_idempotent_answer", None)
    if store_answer is not None and response is not None:
        await store_answer(session, response)
    await session.commit()


async def _close(request: Request) -> None:
    """Give the connection back; what was not committed is rolled back."""
    session: AsyncSession | None = getattr(request.state, "session", None)
    if session is not None:
        await session.close()


def create_router(**options: Any) -> APIRouter:
    """An `APIRouter` whose routes commit at the edge."""
    return APIRouter(route_class=TransactionalRoute, **options)
