"""What is left of a mail when it has been over for a month."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func

from chassis.contracts.accounts import UserRegistered
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from notifications import background
from notifications.background import blank_emails
from notifications.deliveries import service
from notifications.deliveries.models import DeliveryEmail

AddEmail = Callable[..., Awaitable[DeliveryEmail]]
GetEmails = Callable[..., Awaitable[list[DeliveryEmail]]]

OLD = func.now() - timedelta(days=31)


class TestBlankEmails:
    @pytest.mark.parametrize("state", ["done", "dead", "unknown"])
    async def test_valid(
        self, database: RolledBackDatabase, add_email: AddEmail, get_emails: GetEmails, state: str
    ) -> None:
        words = {"smtp_reply": "250 <mina@reader.example> taken", "last_error": "451 <mina@reader.example> later"}
        email = await add_email(state=state, finished_at=OLD, **words)
        await blank_emails(database)
        [stored] = await get_emails(database)
        assert (stored.recipient, stored.params, stored.smtp_reply, stored.last_error) == ("", {}, None, None)
        assert (stored.dedupe_key, stored.state) == (email.dedupe_key, state)

    @pytest.mark.parametrize(
        "columns",
        [
            {"state": "done", "finished_at": func.now() - timedelta(days=29)},
            {"state": "queued", "created_at": OLD},
            {"state": "running", "created_at": OLD},
        ],
        ids=["young", "waiting", "under way"],
    )
    async def test_left_alone(
        self, database: RolledBackDatabase, add_email: AddEmail, get_emails: GetEmails, columns: dict[str, Any]
    ) -> None:
        email = await add_email(**columns)
        await blank_emails(database)
        [stored] = await get_emails(database)
        assert (stored.recipient, stored.params) == (email.recipient, email.params)

    async def test_not_written_again(
        self,
        database: RolledBackDatabase,
        apply: Callable[..., Awaitable[None]],
        register: Callable[..., UserRegistered],
        change_email: Callable[..., Awaitable[None]],
        get_emails: GetEmails,
    ) -> None:
        """A feed that is read from its beginning does not mail anybody twice."""
        person = register()
        await apply(person)
        [email] = await get_emails(database)
        await change_email(email.id, state="done", finished_at=OLD)
        await blank_emails(database)
        await apply(person)
        [stored] = await get_emails(database)
        assert (stored.id, stored.recipient) == (email.id, "")

    async def test_in_batches(
        self, committed_database: Database, add_email: AddEmail, get_emails: GetEmails, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (background, service):
            monkeypatch.setattr(module, "BLANK_BATCH", 2)
        for _ in range(5):
            await add_email(to=committed_database, state="done", finished_at=OLD)
        await blank_emails(committed_database)
        assert len(await get_emails(committed_database, DeliveryEmail.recipient == "")) == 5

    async def test_by_its_index(self, database: RolledBackDatabase) -> None:
        with record_statements(database) as statements:
            await blank_emails(database)
        [statement] = [item for item in statements if item.startswith("UPDATE")]
        assert "finished_at IS NOT NULL AND recipient <> ''" in statement
