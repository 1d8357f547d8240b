import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from chassis.database.engine import Database
from chassis.pagination import Page
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from notifications.inbox.models import Notification
from notifications.inbox.schemas import NotificationRead, UnreadCount

Headers = dict[str, str]
Login = Callable[[UUID], Headers]
AddNotifications = Callable[..., Awaitable[list[Notification]]]

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture
def add_notifications(database: RolledBackDatabase) -> AddNotifications:
    """Notifications of one reader, one a minute, the newest last."""

    async def add(recipient_id: UUID, count: int = 1, *, to: Database = database, **fields: Any) -> list[Notification]:
        values = {"kind": "post_published", "title": "T", "text": "x", "link": "/api/v1/posts", "data": {"n": 1}}
        rows = [
            Notification(
                recipient_id=recipient_id,
                subject_id=uuid4(),
                created_at=START + timedelta(minutes=minute),
                **(values | fields),
            )
            for minute in range(count)
        ]
        async with to.transaction() as session:
            session.add_all(rows)
        return rows

    return add


@pytest.fixture
async def mine(add_notifications: AddNotifications) -> Notification:
    """One unread notification of `me`."""
    [row] = await add_notifications(ME)
    return row


ME = UUID("01936b4e-0000-7000-8000-000000000001")


class TestListNotifications:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/notifications")
        assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    async def test_valid(self, client: httpx.AsyncClient, login: Login, mine: Notification) -> None:
        response = await client.get("/notifications", headers=login(ME))
        page = Page[NotificationRead].model_validate_json(response.content)
        assert response.json() == json.loads(page.model_dump_json())
        assert [item.id for item in page.items] == [mine.id]
        assert response.json()["items"][0]["created_at"] == "2026-11-22T08:00:00.000000Z"
        assert response.json()["items"][0]["read_at"] is None

    @pytest.mark.usefixtures("mine")
    async def test_empty(self, client: httpx.AsyncClient, login: Login) -> None:
        response = await client.get("/notifications", headers=login(uuid4()))
        assert response.json() == {"items": [], "next_cursor": None}

    async def test_pages(self, client: httpx.AsyncClient, login: Login, add_notifications: AddNotifications) -> None:
        rows = await add_notifications(ME, 5)
        first = await client.get("/notifications?limit=3", headers=login(ME))
        second = await client.get(f"/notifications{first.links['next']['url']}", headers=login(ME))
        seen = [item["id"] for page in (first, second) for item in page.json()["items"]]
        assert seen == [str(row.id) for row in reversed(rows)]
        assert second.json()["next_cursor"] is None

    async def test_unread(self, client: httpx.AsyncClient, login: Login, add_notifications: AddNotifications) -> None:
        rows = await add_notifications(ME, 3)
        await client.put(f"/notifications/{rows[2].id}/read", headers=login(ME))
        response = await client.get("/notifications?unread=true&limit=1", headers=login(ME))
        assert [item["id"] for item in response.json()["items"]] == [str(rows[1].id)]
        second = await client.get(f"/notifications{response.links['next']['url']}", headers=login(ME))
        assert [item["id"] for item in second.json()["items"]] == [str(rows[0].id)]

    async def test_cursor_of_another_list(
        self, client: httpx.AsyncClient, login: Login, add_notifications: AddNotifications
    ) -> None:
        await add_notifications(ME, 2)
        page = await client.get("/notifications?limit=1", headers=login(ME))
        cursor = page.json()["next_cursor"]
        for path, reader in (("/notifications?unread=true", ME), ("/notifications?", uuid4())):
            response = await client.get(f"{path}&cursor={cursor}", headers=login(reader))
            assert (response.status_code, response.json()["code"]) == (400, "cursor_invalid")

    @pytest.mark.usefixtures("mine")
    @pytest.mark.parametrize("query", ["", "?unread=true"])
    async def test_one_statement(
        self, client: httpx.AsyncClient, login: Login, database: RolledBackDatabase, query: str
    ) -> None:
        with record_statements(database) as statements:
            await client.get(f"/notifications{query}", headers=login(ME))
        assert len(statements) == 1


class TestGetUnreadCount:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/notifications/unread-count")).status_code == 401

    async def test_valid(
        self, client: httpx.AsyncClient, login: Login, database: RolledBackDatabase, add_notifications: AddNotifications
    ) -> None:
        rows = await add_notifications(ME, 3)
        await add_notifications(uuid4(), 2)
        await client.put(f"/notifications/{rows[0].id}/read", headers=login(ME))
        with record_statements(database) as statements:
            response = await client.get("/notifications/unread-count", headers=login(ME))
        assert UnreadCount.model_validate_json(response.content).unread_count == 2
        assert len(statements) == 1

    async def test_nothing(self, client: httpx.AsyncClient, login: Login) -> None:
        response = await client.get("/notifications/unread-count", headers=login(uuid4()))
        assert response.json() == {"unread_count": 0}


class TestMarkAllRead:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.put("/notifications/read")).status_code == 401

    async def test_valid(self, client: httpx.AsyncClient, login: Login, add_notifications: AddNotifications) -> None:
        other = uuid4()
        await add_notifications(ME, 3)
        await add_notifications(other, 1)
        for _ in range(2):
            assert (await client.put("/notifications/read", headers=login(ME))).status_code == 204
        assert (await client.get("/notifications/unread-count", headers=login(ME))).json() == {"unread_count": 0}
        assert (await client.get("/notifications/unread-count", headers=login(other))).json() == {"unread_count": 1}


class TestMarkNotificationRead:
    async def test_anonymous(self, client: httpx.AsyncClient, mine: Notification) -> None:
        assert (await client.put(f"/notifications/{mine.id}/read")).status_code == 401

    async def test_not_found(self, client: httpx.AsyncClient, login: Login, mine: Notification) -> None:
        for notification_id, reader in ((mine.id, uuid4()), (uuid4(), ME)):
            response = await client.put(f"/notifications/{notification_id}/read", headers=login(reader))
            assert (response.status_code, response.json()["code"]) == (404, "notification_not_found")

    async def test_malformed_id(self, client: httpx.AsyncClient, login: Login) -> None:
        response = await client.put("/notifications/1/read", headers=login(ME))
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "path.notification_id")

    async def test_valid(
        self, client: httpx.AsyncClient, login: Login, database: RolledBackDatabase, mine: Notification
    ) -> None:
        with record_statements(database) as statements:
            response = await client.put(f"/notifications/{mine.id}/read", headers=login(ME))
        assert (response.status_code, response.content) == (204, b"")
        assert len(statements) == 2
        read_at = (await client.get("/notifications", headers=login(ME))).json()["items"][0]["read_at"]
        assert read_at is not None

    async def test_twice(self, client: httpx.AsyncClient, login: Login, add_notifications: AddNotifications) -> None:
        [row] = await add_notifications(ME, read_at=START)
        assert (await client.put(f"/notifications/{row.id}/read", headers=login(ME))).status_code == 204
        items = (await client.get("/notifications", headers=login(ME))).json()["items"]
        assert items[0]["read_at"] == "2026-11-22T08:00:00.000000Z"
