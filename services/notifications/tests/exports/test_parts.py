"""What this service contributes to a copy of somebody's data: theirs alone."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from chassis.contracts.accounts import UserDeleted, UserRegistered
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from chassis.testing.tokens import TokenSigner
from notifications.exports.queries import PARTS

Apply = Callable[..., Awaitable[None]]
AddReader = Callable[..., Awaitable[UserRegistered]]
Headers = dict[str, str]


@pytest.fixture
def exporter(signer: TokenSigner) -> Headers:
    return {"Authorization": f"Bearer {signer.issue_service_token('worker', ['exports:read'])}"}


async def read(client: httpx.AsyncClient, headers: Headers, user_id: UUID, part: str) -> list[dict[str, Any]]:
    response = await client.get(f"/internal/users/{user_id}/data", params={"part": part}, headers=headers)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


class TestListUserData:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, add_reader: AddReader, exporter: Headers
    ) -> None:
        person, _ = await add_reader(), await add_reader()
        with record_statements(database) as statements:
            [contact] = await read(client, exporter, person.user_id, "contact")
        assert len(statements) == 1
        assert (contact["email"], contact["is_confirmed"]) == (person.email, True)
        [welcome] = await read(client, exporter, person.user_id, "inbox")
        assert welcome["kind"] == "welcome"
        [mail] = await read(client, exporter, person.user_id, "emails")
        assert (mail["kind"], mail["recipient"], mail["state"]) == ("confirmation", person.email, "queued")

    async def test_of_nobody(
        self, client: httpx.AsyncClient, add_reader: AddReader, apply: Apply, exporter: Headers
    ) -> None:
        gone = await add_reader()
        await apply(UserDeleted(user_id=gone.user_id), seq=9)
        for part in PARTS:
            assert await read(client, exporter, uuid4(), part.name) == []
        assert await read(client, exporter, gone.user_id, "contact") == []
