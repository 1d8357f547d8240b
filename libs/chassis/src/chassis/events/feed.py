"""The feed: what this service has told, in an order in which nothing can appear behind the reader.

Ordered by `(xid, id)` and served only below the oldest transaction that is still open: one that commits late holds
the horizon back until it has, so no cursor passes it (an `id > last` cursor lost 22 of 1,035 events).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import BigInteger, ColumnElement, Integer, Text, and_, bindparam, cast, exists, func, select, tuple_

from chassis.context import remaining_seconds
from chassis.database.dependencies import ReaderDep
from chassis.database.queries import HotQuery, Reader, json_array, json_object, rfc3339
from chassis.events.outbox import OutboxEvent, Xid8
from chassis.events.position import START, Position
from chassis.events.schemas import ANSWER_SECONDS, MAX_EVENTS, MAX_WAIT_SECONDS, FeedPage
from chassis.events.waker import FeedWaker
from chassis.pagination import CursorInvalidError
from chassis.problems import ConflictError, problem_responses
from chassis.security.dependencies import require_service_scope
from chassis.security.exceptions import InsufficientScopeError, TokenMissingError

POLL_SECONDS = 1.0
"""Longest time between two looks while waiting: a notification is a hint that may be lost."""
HELD_BACK_SECONDS = (0.02, 0.25)
"""Between looks while committed events wait for an older transaction to end, whose end notifies nobody."""


def build_envelope(cursor: ColumnElement[str]) -> ColumnElement[Any]:
    """An `EventEnvelope` as PostgreSQL writes it."""
    return json_object(
        event_id=OutboxEvent.event_id,
        type=OutboxEvent.type,
        version=OutboxEvent.version,
        aggregate_id=OutboxEvent.aggregate_id,
        aggregate_seq=OutboxEvent.aggregate_seq,
        payload=OutboxEvent.payload,
        traceparent=OutboxEvent.traceparent,
        created_at=rfc3339(OutboxEvent.created_at),
        cursor=cursor,
    )


def build_feed_query() -> HotQuery:
    """One row: items as JSON, the cursor after them, their number, and why there may be none."""
    place = tuple_(OutboxEvent.xid, OutboxEvent.id)
    # Sub-selects, because the planner cannot see through them: where it can, it takes the rest of the outbox for a
    # few rows and sorts all of it for each page (253 ms with 100,000 to come, against 1.2).
    after_xid = select(cast(cast(bindparam("after_xid", type_=Text()), Text), Xid8)).scalar_subquery()
    after_id = select(bindparam("after_id", type_=BigInteger())).scalar_subquery()
    is_after = place > tuple_(after_xid, after_id)
    horizon = func.pg_snapshot_xmin(func.pg_current_snapshot(), type_=Xid8())
    cursor = func.concat(OutboxEvent.xid, ":", OutboxEvent.id, type_=Text())
    page = (
        select(OutboxEvent.xid, OutboxEvent.id, cursor.label("cursor"), build_envelope(cursor).label("envelope"))
        .where(is_after, OutboxEvent.xid < horizon)
        .order_by(OutboxEvent.xid, OutboxEvent.id)
        .limit(bindparam("page_limit", type_=Integer()))
        .cte("page")
    )
    last = select(page.c.cursor).order_by(page.c.xid.desc(), page.c.id.desc()).limit(1).scalar_subquery()
    held_back = exists().where(is_after, OutboxEvent.xid >= horizon)
    return HotQuery(
        select(
            json_array(page.c.envelope, order_by=tuple_(page.c.xid, page.c.id)).label("items"),
            last.label("next_cursor"),
            func.count().label("count"),
            and_(func.count() == 0, held_back).label("held_back"),
            (after_xid >= func.pg_snapshot_xmax(func.pg_current_snapshot(), type_=Xid8())).label("is_ahead"),
        ).select_from(page)
    )


FEED_QUERY = build_feed_query()


class CursorAheadError(ConflictError):
    """The reader has seen more than there ever was: this database was set back, and an operator must decide."""

    code = "cursor_ahead"
    title = "The cursor is ahead of the feed"


async def get_feed_waker(request: Request) -> FeedWaker:
    waker: FeedWaker = request.app.state.feed_waker
    return waker


FeedWakerDep = Annotated[FeedWaker, Depends(get_feed_waker)]


async def valid_position(
    after: Annotated[str | None, Query(max_length=40, description="`next_cursor` of the answer before.")] = None,
) -> Position:
    return START if after is None else Position.parse(after)


async def list_events(
    request: Request,
    reader: ReaderDep,
    waker: FeedWakerDep,
    position: Annotated[Position, Depends(valid_position)],
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = MAX_EVENTS,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for an event.")] = 0,
) -> Response:
    """Events after a cursor, in an order that never changes. Waits for the next one if asked to."""
    row = await wait_for_events(reader, waker, position, limit=limit, wait=wait, is_gone=request.is_disconnected)
    if row["is_ahead"]:
        raise CursorAheadError
    cursor = row["next_cursor"] or str(position)
    body = b'{"items":' + row["items"] + b',"next_cursor":"' + cursor.encode() + b'"}'
    return Response(body, media_type="application/json")


def create_feed_router() -> APIRouter:
    """The route by which other services read this one's events. Needs `app.state.feed_waker`."""
    router = APIRouter(prefix="/internal", tags=["internal"])
    router.get(
        "/events",
        response_model=FeedPage,
        summary="List events",
        response_description="Up to `limit` events; none when nothing came while waiting.",
        responses=problem_responses(CursorInvalidError, CursorAheadError, TokenMissingError, InsufficientScopeError),
        dependencies=[Depends(require_service_scope("events:read"))],
    )(list_events)
    return router


async def wait_for_events(
    reader: Reader,
    waker: FeedWaker,
    position: Position,
    *,
    limit: int,
    wait: float,
    is_gone: Callable[[], Awaitable[bool]],
) -> asyncpg.Record:
    """The first row with events, or an empty one when waiting is over. Holds no connection meanwhile."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _limit_wait(wait)
    pause, longest_pause = HELD_BACK_SECONDS
    while True:
        wake = waker.next_wake()
        row = await reader.fetch_row(FEED_QUERY, after_xid=str(position.xid), after_id=position.id, page_limit=limit)
        assert row is not None  # noqa: S101 - an aggregate without GROUP BY is always one row
        remaining = deadline - loop.time()
        if row["count"] or row["is_ahead"] or remaining <= 0 or waker.stopping or await is_gone():
            return row
        if row["held_back"]:
            await waker.pause(min(pause, remaining))
            pause = min(pause * 1.5, longest_pause)
        else:
            await waker.wait(wake, min(POLL_SECONDS, remaining))
            pause = HELD_BACK_SECONDS[0]


def _limit_wait(wait: float) -> float:
    remaining = remaining_seconds()
    return wait if remaining is None else min(wait, remaining - ANSWER_SECONDS)
