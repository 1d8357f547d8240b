"""Keyset paging: an opaque cursor, a capped limit, an envelope, a `Link` header; page 5,000 costs what page 1 costs."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import asyncpg
from fastapi import Depends, Query, Request, Response
from pydantic import Field
from sqlalchemy import ColumnElement, Integer, Select, bindparam, case, cast, func, literal, null, select, tuple_
from sqlalchemy.dialects.postgresql import JSON

from chassis.database.queries import HotQuery, Reader, json_array, rfc3339
from chassis.problems import BadRequestError
from chassis.schemas import CustomModel

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
ItemT = TypeVar("ItemT")


class CursorInvalidError(BadRequestError):
    code = "cursor_invalid"
    title = "The cursor does not belong to this list"


class Page(CustomModel, Generic[ItemT]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[ItemT] = Field(max_length=MAX_LIMIT)
    next_cursor: str | None = Field(max_length=1000)


@dataclass(frozen=True, slots=True)
class PageParams:
    limit: int
    cursor: str | None


async def get_page_params(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before.")] = None,
) -> PageParams:
    return PageParams(limit, cursor)


PageParamsDep = Annotated[PageParams, Depends(get_page_params)]


def encode_cursor(list_name: str, key: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([list_name, *key]).encode()).decode().rstrip("=")


def decode_cursor(list_name: str, cursor: str) -> tuple[datetime, UUID]:
    """The key of the last item seen. Raises CursorInvalidError also for a cursor of another list."""
    try:
        name, text, item_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment, key_id = datetime.fromisoformat(text), UUID(item_id)
        if name != list_name or moment.tzinfo is None:
            raise CursorInvalidError
        # A moment at the end of time may have none in UTC.
        return moment.astimezone(UTC), key_id
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
        raise CursorInvalidError from error


class PageQuery:
    """A list, newest first, as one statement: the items as JSON and the key of the last.

    `rows` selects what the items are built from; `item` is the JSON of one, `moment` and `item_id` its place
    (an index on both makes a page a range scan). `owner_exists`, where given, tells an empty list from the list
    of something that is not there. Parameters of all of them are passed to `fetch_page` by name.
    """

    def __init__(
        self,
        name: str,
        rows: Select[Any],
        *,
        item: ColumnElement[Any],
        moment: ColumnElement[Any] | Any,
        item_id: ColumnElement[Any] | Any,
        owner_exists: ColumnElement[bool] | None = None,
    ) -> None:
        self.name = name
        last_seen = tuple_(bindparam("after_at", type_=moment.type), bindparam("after_id", type_=item_id.type))
        place = _Place(item, moment, item_id)
        owner = literal(value=True) if owner_exists is None else owner_exists
        self._first = HotQuery(_build_page(rows, place, owner))
        self._next = HotQuery(_build_page(rows.where(tuple_(moment, item_id) < last_seen), place, owner))

    async def fetch_page(
        self, reader: Reader, params: PageParams, *, scope: str = "", **parameters: Any
    ) -> "PageBytes | None":
        """One page as bytes; None when the owner of the list does not exist.

        `scope` binds the cursor to what the list is of (an id, a filter).
        """
        name = f"{self.name}:{scope}" if scope else self.name
        query = self._first
        if params.cursor is not None:
            query = self._next
            parameters["after_at"], parameters["after_id"] = decode_cursor(name, params.cursor)
        row = await reader.fetch_row(query, page_limit=params.limit, **parameters)
        return PageBytes.from_row(name, row) if row and row["owner_exists"] else None


@dataclass(frozen=True, slots=True)
class PageBytes:
    """A page as it goes out."""

    body: bytes
    next_cursor: str | None

    @classmethod
    def from_row(cls, name: str, row: asyncpg.Record) -> "PageBytes":
        key = row["next_key"]
        next_cursor = None if key is None else encode_cursor(name, json.loads(key))
        body = b'{"items":' + row["items"] + b',"next_cursor":' + json.dumps(next_cursor).encode() + b"}"
        return cls(body, next_cursor)

    def to_response(self, request: Request) -> Response:
        response = Response(self.body, media_type="application/json")
        if self.next_cursor is not None:
            # Relative to the request, so that it holds behind a gateway that strips a prefix.
            query = request.url.include_query_params(cursor=self.next_cursor).query
            response.headers["Link"] = f'<?{query}>; rel="next"'
        return response


@dataclass(frozen=True, slots=True)
class _Place:
    """What a row shows, and where it stands in the list."""

    item: ColumnElement[Any]
    moment: Any
    item_id: Any


def _build_page(rows: Select[Any], place: _Place, owner_exists: ColumnElement[bool]) -> Select[Any]:
    """Fetch one row more than asked for: it tells whether there is a next page."""
    limit = bindparam("page_limit", type_=Integer())
    order = (place.moment.desc(), place.item_id.desc())
    page = (
        rows.with_only_columns(
            place.item.label("item"),
            rfc3339(place.moment).label("moment"),
            place.item_id.label("item_id"),
            func.row_number().over(order_by=order).label("number"),
        )
        .order_by(*order)
        .limit(limit + 1)
        .cte("page")
    )
    # The filter leaves one row, so this array has one member.
    last_key = func.json_agg(func.json_build_array(page.c.moment, page.c.item_id)).filter(page.c.number == limit)
    next_key = case(
        (func.max(page.c.number) > limit, last_key.op("->", return_type=JSON())(0)), else_=cast(null(), JSON)
    )
    items = json_array(page.c.item, order_by=page.c.number, where=page.c.number <= limit)
    return select(items.label("items"), next_key.label("next_key"), owner_exists.label("owner_exists")).select_from(
        page
    )
