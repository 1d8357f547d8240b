"""What auth has to tell about an account: mails with a link, notices, and people who change, are banned or go."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, update

from chassis.contracts.accounts import (
    ConfirmationRequested,
    ExportCompleted,
    SecurityNoticed,
    UserBanned,
    UserConfirmed,
    UserDeleted,
    UserRegistered,
    UserUnbanned,
    UserUpdated,
)
from chassis.contracts.posts import ReviewCreated
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from notifications.deliveries.constants import EmailKind
from notifications.deliveries.models import DeliveryEmail
from notifications.inbox.models import Notification
from notifications.notices.constants import LINK_KINDS, NOTICES, UNKNOWN_NOTICE
from notifications.readers.models import Reader

Apply = Callable[..., Awaitable[None]]
AddReader = Callable[..., Awaitable[UserRegistered]]
GetEmails = Callable[..., Awaitable[list[DeliveryEmail]]]
Headers = dict[str, str]


def ask(reader: UserRegistered, purpose: str) -> ConfirmationRequested:
    return ConfirmationRequested(
        user_id=reader.user_id,
        email="elsewhere@people.example",
        first_name="Mina",
        confirmation_id=uuid4(),
        purpose=purpose,
    )


def notice(reader: UserRegistered, kind: str, **fields: object) -> SecurityNoticed:
    return SecurityNoticed.model_validate({"notice_id": uuid4(), "user_id": reader.user_id, "kind": kind} | fields)


def change(reader: UserRegistered, **fields: str) -> UserUpdated:
    names = {name: getattr(reader, name) for name in ("user_id", "email", "username", "first_name", "last_name")}
    return UserUpdated.model_validate(names | fields)


def review(reader: UserRegistered) -> ReviewCreated:
    return ReviewCreated(
        review_id=uuid4(),
        post_id=uuid4(),
        post_title="On rivers",
        creator_id=reader.user_id,
        reviewer_id=uuid4(),
        rating=4,
    )


async def claim(database: Database, email: DeliveryEmail) -> None:
    async with database.transaction() as session:
        running = update(DeliveryEmail).where(DeliveryEmail.id == email.id)
        await session.execute(running.values(state="running", fence=1))


async def read_reader(database: Database, user: UserRegistered) -> Reader:
    async with database.transaction() as session:
        return (await session.scalars(select(Reader).filter_by(user_id=user.user_id))).one()


class TestConfirmationRequested:
    @pytest.mark.parametrize("purpose", [purpose for purpose in LINK_KINDS if purpose != "sign_up"])
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        worker: Headers,
        apply: Apply,
        add_reader: AddReader,
        get_emails: GetEmails,
        purpose: str,
    ) -> None:
        await apply(ask(await add_reader(), purpose))
        [email] = await get_emails(database, DeliveryEmail.kind == LINK_KINDS[purpose])
        assert (email.recipient, email.policy) == ("elsewhere@people.example", "at_least_once")
        await claim(database, email)
        content = (await client.get(f"/internal/emails/{email.id}/content?fence=1", headers=worker)).json()
        page = purpose.replace("_", "-").removesuffix("-old").removesuffix("-new")
        for text in (content["text"], content["html"]):
            assert f"https://broadsheet.example/api/v1/auth/{page}?token=" in text
            assert "24 November 2026, 08:05 UTC" in text

    async def test_each_is_a_mail_of_its_own(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        reader = await add_reader()
        first, second = ask(reader, "password_reset"), ask(reader, "password_reset")
        for event in (first, second, first):
            await apply(event)
        assert len(await get_emails(database, DeliveryEmail.kind == EmailKind.PASSWORD_RESET)) == 2

    async def test_sign_up_again_uses_the_first_mail_of_all(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        await apply(ask(await add_reader(), "sign_up"))
        assert len(await get_emails(database, DeliveryEmail.kind == EmailKind.CONFIRMATION)) == 2


class TestSecurityNoticed:
    @pytest.mark.parametrize("kind", [*NOTICES, "newer_than_this_service"])
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        worker: Headers,
        apply: Apply,
        add_reader: AddReader,
        get_emails: GetEmails,
        kind: str,
    ) -> None:
        reader = await add_reader()
        details = {"address": "203.0.113.0/24", "device": "<b>Firefox</b>", "secret": "canary"}
        await apply(notice(reader, kind, details=details))
        expected = NOTICES.get(kind, UNKNOWN_NOTICE)
        [email] = await get_emails(database, DeliveryEmail.kind == EmailKind.SECURITY_NOTICE)
        assert email.recipient == reader.email
        await claim(database, email)
        content = (await client.get(f"/internal/emails/{email.id}/content?fence=1", headers=worker)).json()
        assert content["subject"] == expected.title
        assert "Device: <b>Firefox</b>" in content["text"]
        assert "Device: &lt;b&gt;Firefox&lt;/b&gt;" in content["html"]
        assert content["text"].index("Device") < content["text"].index("Network: 203.0.113.0/24")
        assert "canary" not in str(content)

    async def test_goes_to_the_address_that_is_named(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        await apply(notice(await add_reader(), "email_changed", email="old@people.example"))
        [email] = await get_emails(database, DeliveryEmail.kind == EmailKind.SECURITY_NOTICE)
        assert email.recipient == "old@people.example"

    async def test_each_is_a_mail_of_its_own(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        reader = await add_reader()
        first, second = notice(reader, "new_device"), notice(reader, "new_device")
        for event in (first, second, first):
            await apply(event)
        assert len(await get_emails(database, DeliveryEmail.kind == EmailKind.SECURITY_NOTICE)) == 2
        async with database.transaction() as session:
            query = select(func.count()).select_from(Notification).filter_by(kind="security_notice")
            assert (await session.scalars(query)).one() == 2


class TestUserUpdated:
    async def test_older_news_changes_nothing(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader
    ) -> None:
        reader = await add_reader()
        await apply(change(reader, first_name="Newest"), seq=7)
        await apply(change(reader, first_name="Older"), seq=6)
        assert (await read_reader(database, reader)).first_name == "Newest"

    async def test_mails_go_to_the_new_address(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        reader = await add_reader()
        await apply(change(reader, email="new@people.example"), seq=7)
        await apply(review(reader))
        [email] = await get_emails(database, DeliveryEmail.kind == EmailKind.REVIEW_CREATED)
        assert email.recipient == "new@people.example"


class TestUserBanned:
    async def test_gets_notices_alone_until_unbanned(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        reader = await add_reader()
        await apply(UserBanned(user_id=reader.user_id), seq=6)
        await apply(review(reader))
        await apply(notice(reader, "account_banned"))
        assert await get_emails(database, DeliveryEmail.kind == EmailKind.REVIEW_CREATED) == []
        assert len(await get_emails(database, DeliveryEmail.kind == EmailKind.SECURITY_NOTICE)) == 1
        await apply(UserUnbanned(user_id=reader.user_id), seq=7)
        await apply(review(reader))
        assert len(await get_emails(database, DeliveryEmail.kind == EmailKind.REVIEW_CREATED)) == 1
        # An older event that was dead, and that an operator replays.
        await apply(UserBanned(user_id=reader.user_id), seq=6)
        await apply(review(reader))
        assert len(await get_emails(database, DeliveryEmail.kind == EmailKind.REVIEW_CREATED)) == 2


class TestUserDeleted:
    async def test_nothing_names_them_any_more(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        reader = await add_reader()
        await apply(review(reader))
        await apply(notice(reader, "account_deleted", email=reader.email))
        await apply(UserDeleted(user_id=reader.user_id))
        row = await read_reader(database, reader)
        assert (row.email, row.username, row.first_name, row.last_name) == (None, None, None, None)
        async with database.transaction() as session:
            assert (await session.scalars(select(Notification).filter_by(recipient_id=reader.user_id))).all() == []
        emails = await get_emails(database)
        assert {(email.kind, email.state, email.recipient) for email in emails} == {
            ("security_notice", "queued", reader.email),
            ("review_created", "dead", ""),
            ("confirmation", "dead", ""),
        }

    async def test_older_events_bring_nothing_back(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        reader = await add_reader()
        await apply(UserDeleted(user_id=reader.user_id))
        await apply(change(reader), seq=9)
        await apply(UserConfirmed(user_id=reader.user_id))
        await apply(review(reader))
        assert (await read_reader(database, reader)).email is None
        assert await get_emails(database, DeliveryEmail.state == "queued") == []

    async def test_of_somebody_unknown(self, database: RolledBackDatabase, apply: Apply) -> None:
        user_id = uuid4()
        await apply(UserDeleted(user_id=user_id))
        async with database.transaction() as session:
            assert (await session.get(Reader, user_id)) is not None


class TestExportCompleted:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        worker: Headers,
        apply: Apply,
        add_reader: AddReader,
        get_emails: GetEmails,
    ) -> None:
        reader, export_id = await add_reader(), uuid4()
        expires_at = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
        await apply(ExportCompleted(user_id=reader.user_id, export_id=export_id, expires_at=expires_at))
        [email] = await get_emails(database, DeliveryEmail.kind == EmailKind.EXPORT_COMPLETED)
        await claim(database, email)
        content = (await client.get(f"/internal/emails/{email.id}/content?fence=1", headers=worker)).json()
        assert f"https://broadsheet.example/api/v1/auth/exports/{export_id}/archive" in content["text"]
        assert "1 December 2026, 10:00 UTC" in content["html"]
