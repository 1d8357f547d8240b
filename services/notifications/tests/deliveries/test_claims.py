import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func

from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from chassis.testing.tokens import TokenSigner
from notifications.deliveries.models import DeliveryEmail
from notifications.deliveries.schemas import EmailClaim
from notifications.deliveries.service import park_ambiguous_emails

Headers = dict[str, str]
AddEmail = Callable[..., Awaitable[DeliveryEmail]]
GetEmails = Callable[..., Awaitable[list[DeliveryEmail]]]

SECONDS_AGO = func.now() - timedelta(seconds=5)
ABANDONED = {"state": "running", "fence": 1, "attempts": 1, "lease_ends_at": SECONDS_AGO, "next_at": SECONDS_AGO}
AMBIGUOUS = ABANDONED | {"dot_at": func.now() - timedelta(seconds=60)}


async def claim(client: httpx.AsyncClient, worker: Headers, email: DeliveryEmail) -> httpx.Response:
    return await client.post(f"/internal/emails/{email.id}/claim", headers=worker)


class TestClaimEmail:
    async def test_anonymous(self, client: httpx.AsyncClient, add_email: AddEmail) -> None:
        assert (await claim(client, {}, await add_email())).status_code == 401

    async def test_forbidden(self, client: httpx.AsyncClient, add_email: AddEmail, signer: TokenSigner) -> None:
        posts = {"Authorization": f"Bearer {signer.issue_service_token('posts', ['events:read'])}"}
        response = await claim(client, posts, await add_email())
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")

    async def test_not_found(self, client: httpx.AsyncClient, worker: Headers) -> None:
        response = await client.post(f"/internal/emails/{uuid4()}/claim", headers=worker)
        assert (response.status_code, response.json()["code"]) == (404, "job_not_found")

    async def test_valid(
        self, client: httpx.AsyncClient, worker: Headers, add_email: AddEmail, database: RolledBackDatabase
    ) -> None:
        email = await add_email()
        with record_statements(database) as statements:
            response = await claim(client, worker, email)
        answer = EmailClaim.model_validate_json(response.content)
        assert (answer.email_id, answer.fence, answer.recipient) == (email.id, 1, email.recipient)
        assert (answer.sender, answer.message_id) == ("Broadsheet <no-reply@mail.example>", email.message_id)
        assert answer.date == email.created_at
        # The clock of a transaction stands still, so this is the lease to the microsecond.
        assert answer.lease_ends_at - email.created_at == timedelta(seconds=120)
        assert len(statements) == 1

    async def test_taken(self, client: httpx.AsyncClient, worker: Headers, add_email: AddEmail) -> None:
        email = await add_email()
        await claim(client, worker, email)
        response = await claim(client, worker, email)
        assert (response.status_code, response.json()["code"]) == (409, "job_not_claimable")

    async def test_same_envelope_at_every_try(
        self, client: httpx.AsyncClient, worker: Headers, add_email: AddEmail, change_email: Callable[..., Any]
    ) -> None:
        email = await add_email()
        first = (await claim(client, worker, email)).json()
        await change_email(email.id, lease_ends_at=SECONDS_AGO)
        second = (await claim(client, worker, email)).json()
        assert (first.pop("fence"), second.pop("fence")) == (1, 2)
        assert first == second

    @pytest.mark.parametrize("policy", ["at_least_once", "at_most_once"])
    async def test_abandoned_before_the_dot(
        self, client: httpx.AsyncClient, worker: Headers, add_email: AddEmail, policy: str
    ) -> None:
        email = await add_email(policy=policy, **ABANDONED)
        assert (await claim(client, worker, email)).json()["fence"] == 2

    async def test_ambiguous_at_least_once(
        self,
        client: httpx.AsyncClient,
        worker: Headers,
        add_email: AddEmail,
        database: RolledBackDatabase,
        get_emails: GetEmails,
    ) -> None:
        email = await add_email(policy="at_least_once", **AMBIGUOUS)
        assert (await claim(client, worker, email)).json()["fence"] == 2
        [claimed] = await get_emails(database)
        assert (claimed.dot_at, claimed.doubts) == (None, 1)

    async def test_ambiguous_too_often(self, client: httpx.AsyncClient, worker: Headers, add_email: AddEmail) -> None:
        """A mail server that takes mails and never says so."""
        email = await add_email(policy="at_least_once", doubts=3, **AMBIGUOUS)
        assert (await claim(client, worker, email)).json()["code"] == "job_not_claimable"

    async def test_ambiguous_at_most_once(
        self, client: httpx.AsyncClient, worker: Headers, add_email: AddEmail
    ) -> None:
        email = await add_email(policy="at_most_once", **AMBIGUOUS)
        response = await claim(client, worker, email)
        assert (response.status_code, response.json()["code"]) == (409, "job_not_claimable")

    async def test_race(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        worker: Headers,
        add_email: AddEmail,
    ) -> None:
        email = await add_email(to=committed_database)
        answers = await asyncio.gather(*(claim(committed_client, worker, email) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9


class TestParkAmbiguousEmails:
    @pytest.mark.parametrize("columns", [{"policy": "at_most_once"}, {"policy": "at_least_once", "doubts": 3}])
    async def test_valid(
        self, database: RolledBackDatabase, add_email: AddEmail, get_emails: GetEmails, columns: dict[str, Any]
    ) -> None:
        email = await add_email(**AMBIGUOUS, **columns)
        async with database.transaction() as session:
            assert await park_ambiguous_emails(session) == 1
        [parked] = await get_emails(database)
        assert (parked.id, parked.state, parked.finished_at is not None) == (email.id, "unknown", True)

    @pytest.mark.parametrize(
        "columns",
        [
            AMBIGUOUS | {"policy": "at_least_once", "doubts": 2},
            ABANDONED | {"policy": "at_most_once"},
            AMBIGUOUS | {"policy": "at_most_once", "lease_ends_at": func.now() + timedelta(seconds=1)},
            AMBIGUOUS | {"policy": "at_most_once", "state": "done", "lease_ends_at": None},
        ],
        ids=["may be sent twice", "surely not sent", "still leased", "sent"],
    )
    async def test_left_alone(self, database: RolledBackDatabase, add_email: AddEmail, columns: dict[str, Any]) -> None:
        await add_email(**columns)
        async with database.transaction() as session:
            assert await park_ambiguous_emails(session) == 0


class TestListDue:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/internal/jobs/due")).status_code == 401

    async def test_valid(self, client: httpx.AsyncClient, worker: Headers, add_email: AddEmail) -> None:
        due = [await add_email(), await add_email(**ABANDONED), await add_email(policy="at_least_once", **AMBIGUOUS)]
        await add_email(policy="at_most_once", **AMBIGUOUS)
        await add_email(next_at=func.now() + timedelta(seconds=1))
        await add_email(state="done")
        response = await client.get("/internal/jobs/due", headers=worker)
        items = response.json()["items"]
        assert {item["job_id"] for item in items} == {str(email.id) for email in due}
        assert {(item["task"], item["queue"]) for item in items} == {("mail.send_email", "mail")}
