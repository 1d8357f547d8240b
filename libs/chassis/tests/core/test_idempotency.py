import asyncio

import httpx
from sqlalchemy import text

from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase

KEY = {"Idempotency-Key": "order-1"}


class TestIdempotencyKey:
    async def test_valid_repeat_is_answered_the_same(self, client: httpx.AsyncClient) -> None:
        first = await client.post("/notes", json={"text": "once"}, headers=KEY)
        second = await client.post("/notes", json={"text": "once"}, headers=KEY)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.content == second.content
        assert second.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first.headers

    async def test_another_body_under_the_same_key(self, client: httpx.AsyncClient) -> None:
        await client.post("/notes", json={"text": "once"}, headers=KEY)
        response = await client.post("/notes", json={"text": "twice"}, headers=KEY)
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")

    async def test_failed_request_leaves_no_key(self, client: httpx.AsyncClient, database: RolledBackDatabase) -> None:
        await client.post("/notes", json={"text": "taken"})
        assert (await client.post("/notes", json={"text": "taken"}, headers=KEY)).status_code == 409
        async with database.transaction() as session:
            await session.execute(text("delete from note"))
        assert (await client.post("/notes", json={"text": "taken"}, headers=KEY)).status_code == 201

    async def test_race_of_twenty_is_done_once(
        self, committed_client: httpx.AsyncClient, committed_database: Database
    ) -> None:
        requests = [committed_client.post("/notes", json={"text": "race"}, headers=KEY) for _ in range(20)]
        answers = await asyncio.gather(*requests)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert await committed_database.reader.fetch_value("select count(*) from note") == 1
