from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func

from chassis.testing.databases import RolledBackDatabase
from notifications.deliveries.models import DeliveryEmail

Headers = dict[str, str]
AddEmail = Callable[..., Awaitable[DeliveryEmail]]
ChangeEmail = Callable[..., Awaitable[None]]
GetEmails = Callable[..., Awaitable[list[DeliveryEmail]]]
Report = Callable[..., Awaitable[httpx.Response]]

REPORTS: dict[str, dict[str, Any]] = {
    "dot": {},
    "result": {"smtp_reply": "250 OK"},
    "failure": {"error": "451 later", "permanent": False},
}


@pytest.fixture
async def email(add_email: AddEmail) -> DeliveryEmail:
    """Claimed under fence 1 for another two minutes."""
    return await add_email(
        state="running", fence=1, attempts=1, lease_ends_at=func.now() + timedelta(minutes=2), next_at=func.now()
    )


@pytest.fixture
def report(client: httpx.AsyncClient, worker: Headers) -> Report:
    """A report of the worker, under fence 1 unless said otherwise."""

    async def send(email_id: UUID, step: str, *, fence: int = 1, **changes: Any) -> httpx.Response:
        body = {"fence": fence} | REPORTS[step] | changes
        return await client.post(f"/internal/emails/{email_id}/{step}", json=body, headers=worker)

    return send


@pytest.mark.parametrize("step", list(REPORTS))
class TestEveryReport:
    async def test_anonymous(self, client: httpx.AsyncClient, email: DeliveryEmail, step: str) -> None:
        response = await client.post(f"/internal/emails/{email.id}/{step}", json={"fence": 1} | REPORTS[step])
        assert response.status_code == 401

    async def test_not_found(self, report: Report, step: str) -> None:
        response = await report(uuid4(), step)
        assert (response.status_code, response.json()["code"]) == (404, "job_not_found")

    @pytest.mark.parametrize("fence", [2, 7])
    async def test_stale_fence(self, report: Report, email: DeliveryEmail, step: str, fence: int) -> None:
        response = await report(email.id, step, fence=fence)
        assert (response.status_code, response.json()["code"]) == (409, "stale_fence")

    async def test_unknown_field(self, report: Report, email: DeliveryEmail, step: str) -> None:
        response = await report(email.id, step, extra=1)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "body.extra")

    async def test_twice(self, report: Report, email: DeliveryEmail, step: str) -> None:
        """An answer that was lost: the worker says the same again."""
        assert [(await report(email.id, step)).status_code for _ in range(2)] == [204, 204]


class TestRecordDot:
    async def test_valid(
        self, report: Report, email: DeliveryEmail, database: RolledBackDatabase, get_emails: GetEmails
    ) -> None:
        await report(email.id, "dot")
        [stored] = await get_emails(database)
        assert (stored.state, stored.dot_at is not None) == ("running", True)

    @pytest.mark.parametrize(("seconds", "status"), [(31, 204), (30, 409), (5, 409), (-1, 409)])
    async def test_end_of_the_lease(
        self, report: Report, email: DeliveryEmail, change_email: ChangeEmail, seconds: int, status: int
    ) -> None:
        await change_email(email.id, lease_ends_at=func.now() + timedelta(seconds=seconds))
        assert (await report(email.id, "dot")).status_code == status

    async def test_finished(self, report: Report, email: DeliveryEmail) -> None:
        await report(email.id, "result")
        assert (await report(email.id, "dot")).json()["code"] == "stale_fence"


class TestRecordResult:
    async def test_valid(
        self, report: Report, email: DeliveryEmail, database: RolledBackDatabase, get_emails: GetEmails
    ) -> None:
        await report(email.id, "dot")
        await report(email.id, "result", smtp_reply="250 2.0.0 queued as 42")
        [stored] = await get_emails(database)
        assert (stored.state, stored.smtp_reply) == ("done", "250 2.0.0 queued as 42")
        assert stored.finished_at is not None

    async def test_late_but_nobody_else_came(
        self, report: Report, email: DeliveryEmail, change_email: ChangeEmail
    ) -> None:
        await change_email(email.id, lease_ends_at=func.now() - timedelta(seconds=1))
        assert (await report(email.id, "result")).status_code == 204

    async def test_parked_meanwhile(self, report: Report, email: DeliveryEmail, change_email: ChangeEmail) -> None:
        await change_email(email.id, state="unknown", lease_ends_at=None)
        assert (await report(email.id, "result")).json()["code"] == "stale_fence"


class TestRecordFailure:
    async def test_valid(
        self, report: Report, email: DeliveryEmail, database: RolledBackDatabase, get_emails: GetEmails
    ) -> None:
        await report(email.id, "dot")
        await report(email.id, "failure")
        [stored] = await get_emails(database)
        # 451 is an answer: nothing is ambiguous about it.
        assert (stored.state, stored.last_error, stored.dot_at) == ("queued", "451 later", None)
        assert timedelta(seconds=5) <= stored.next_at - email.created_at <= timedelta(seconds=10)

    async def test_permanent(
        self, report: Report, email: DeliveryEmail, database: RolledBackDatabase, get_emails: GetEmails
    ) -> None:
        await report(email.id, "failure", permanent=True, error="550 no such user")
        [stored] = await get_emails(database)
        assert (stored.state, stored.last_error) == ("dead", "550 no such user")

    @pytest.mark.parametrize(
        ("columns", "permanent", "level"),
        [({}, True, "WARNING"), ({"attempts": 200}, False, "ERROR")],
        ids=["never", "not in a day of tries"],
    )
    async def test_who_is_woken(
        self,
        report: Report,
        email: DeliveryEmail,
        change_email: ChangeEmail,
        caplog: pytest.LogCaptureFixture,
        columns: dict[str, Any],
        permanent: bool,
        level: str,
    ) -> None:
        if columns:
            await change_email(email.id, **columns)
        await report(email.id, "failure", permanent=permanent)
        levels = {record.levelname for record in caplog.records if "email_dead" in str(record.msg)}
        assert levels == {level}

    async def test_no_address_in_a_log(
        self, report: Report, email: DeliveryEmail, caplog: pytest.LogCaptureFixture
    ) -> None:
        await report(email.id, "failure", permanent=True, error=f"550 <{email.recipient}> unknown")
        lines = [str(record.msg) for record in caplog.records]
        assert any("email_dead" in line for line in lines)
        assert not any("@" in line for line in lines)
