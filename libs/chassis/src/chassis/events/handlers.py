"""From an envelope to the function that applies it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.context import bind_context
from chassis.contracts.base import Event, EventEnvelope
from chassis.contracts.catalog import get_event_type
from chassis.events.exceptions import EventMalformedError, EventUnknownError, HandlerFailedError
from chassis.logs import get_logger, log_context
from chassis.problems import ServiceUnavailableError

EventT = TypeVar("EventT", bound=Event)
Handler = Callable[[AsyncSession, EventT, EventEnvelope], Awaitable[None]]
"""Applies an event in the session's transaction. Never commits; sends nothing that a rollback could not take back."""
Handlers = Mapping[type[Event], Handler[Any]]

logger = get_logger(__name__)

HANDLER_SECONDS = 5.0
"""Below idle_in_transaction_session_timeout, so that a handler that hangs fails as a handler."""


def parse_event(envelope: EventEnvelope) -> Event:
    """Raises EventUnknownError, EventMalformedError: both will be the same at every further try."""
    event_type = get_event_type(envelope.type, envelope.version)
    if event_type is None:
        raise EventUnknownError(f"{envelope.type} version {envelope.version} is not known here")
    try:
        return event_type.model_validate(envelope.payload)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, item["loc"])) for item in error.errors(include_input=False))
        raise EventMalformedError(f"{envelope.type} version {envelope.version} does not fit in: {fields}") from error


async def run_handler(handlers: Handlers, session: AsyncSession, envelope: EventEnvelope) -> None:
    """Apply one event and flush. Errors of the database and of services that are away come as they are."""
    event = parse_event(envelope)
    event_id = str(envelope.event_id)
    with (
        bind_context(request_id=event_id, traceparent=envelope.traceparent),
        log_context(event_id=event_id, event_type=envelope.type),
    ):
        try:
            async with asyncio.timeout(HANDLER_SECONDS):
                await handlers[type(event)](session, event, envelope)
                await session.flush()
            logger.info("event_handled")
        except (DBAPIError, ServiceUnavailableError):
            raise
        except Exception as error:
            raise HandlerFailedError(envelope.event_id, envelope.type) from error
