from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime
from sqlalchemy import text

from chassis.pagination import CursorInvalidError, Page, decode_cursor, encode_cursor
from chassis.schemas import CustomModel
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements


class NoteRead(CustomModel):
    id: UUID
    text: str
    created_at: AwareDatetime


async def create_notes(database: RolledBackDatabase, count: int) -> list[str]:
    """Notes of which three at a time share their moment, newest first."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    async with database.transaction() as session:
        for number in range(count):
            values = {"text": f"note {number:03}", "at": start + timedelta(seconds=number // 3)}
            await session.execute(text("insert into note (text, created_at) values (:text, :at)"), values)
        rows = await session.execute(text("select text from note order by created_at desc, id desc"))
        return list(rows.scalars())


class TestFetchPage:
    @pytest.mark.parametrize("limit", [1, 2, 7, 20, 100])
    async def test_walk_sees_each_item_once_in_order(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, limit: int
    ) -> None:
        expected = await create_notes(database, 20)
        seen: list[str] = []
        answer = (await client.get("/notes", params={"limit": limit})).json()
        while True:
            seen += [item["text"] for item in answer["items"]]
            if answer["next_cursor"] is None:
                break
            answer = (await client.get("/notes", params={"limit": limit, "cursor": answer["next_cursor"]})).json()
        assert seen == expected

    async def test_valid_costs_one_statement_and_fits_schema(
        self, client: httpx.AsyncClient, database: RolledBackDatabase
    ) -> None:
        await create_notes(database, 5)
        with record_statements(database) as statements:
            response = await client.get("/notes", params={"limit": 2})
        assert len(statements) == 1
        page = Page[NoteRead].model_validate_json(response.content, strict=True)
        assert len(page.items) == 2
        assert response.json()["items"][0]["created_at"] == "2026-01-01T00:00:01.000000Z"

    async def test_link_header_leads_to_next_page(
        self, client: httpx.AsyncClient, database: RolledBackDatabase
    ) -> None:
        await create_notes(database, 5)
        first = await client.get("/notes", params={"limit": 3})
        following = await client.get("/notes" + first.links["next"]["url"])
        assert len(following.json()["items"]) == 2
        assert "Link" not in following.headers

    async def test_empty_list(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/notes")).json() == {"items": [], "next_cursor": None}

    async def test_not_found_owner(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/notes", params={"pattern": "nobody"})).status_code == 404

    async def test_cursor_of_another_list_is_refused(
        self, client: httpx.AsyncClient, database: RolledBackDatabase
    ) -> None:
        await create_notes(database, 5)
        cursor = (await client.get("/notes", params={"limit": 1})).json()["next_cursor"]
        response = await client.get("/notes", params={"cursor": cursor, "pattern": "note%"})
        assert (response.status_code, response.json()["code"]) == (400, "cursor_invalid")

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "ten"])
    async def test_limit_out_of_range_names_the_field(self, client: httpx.AsyncClient, limit: str) -> None:
        response = await client.get("/notes", params={"limit": limit})
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == "query.limit"


class TestDecodeCursor:
    @given(st.datetimes(timezones=st.just(UTC)), st.uuids())
    def test_valid_comes_back_as_it_went(self, moment: datetime, item_id: UUID) -> None:
        key = (moment.isoformat(), str(item_id))
        assert decode_cursor("list", encode_cursor("list", key)) == (moment, item_id)

    @given(st.text(max_size=60))
    def test_anything_else_is_one_clear_error(self, cursor: str) -> None:
        with pytest.raises(CursorInvalidError):
            decode_cursor("list", cursor)

    @given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
    def test_any_json_is_one_clear_error(self, key: object) -> None:
        with pytest.raises(CursorInvalidError):
            decode_cursor("list", encode_cursor("list", [key]))


def test_page_is_a_custom_model() -> None:
    assert issubclass(Page, CustomModel)
