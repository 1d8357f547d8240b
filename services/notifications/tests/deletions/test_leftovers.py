"""After a deletion nothing is left that says who somebody was: in their own inbox, in others', in any mail.

Every table takes part: one that is new fails here until it is filled below, or says why it need not be.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from chassis.contracts.accounts import SecurityNoticed, UserDeleted, UserRegistered
from chassis.contracts.posts import CreatorFollowed, PostPublished, ReviewCreated
from chassis.database.engine import Database
from chassis.events.inbox import DeadEvent
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.events import create_envelope
from chassis.testing.leftovers import dump_tables
from notifications.deletions.service import forget_late
from notifications.deliveries.models import DeliveryEmail
from notifications.exports.queries import PARTS
from notifications.fan_outs.models import FanOut
from notifications.inbox import service as inbox
from notifications.inbox.models import Notification
from notifications.readers.models import Reader

Apply = Callable[..., Awaitable[None]]
AddReader = Callable[..., Awaitable[UserRegistered]]
CANARY = "canary"

NOT_OF_PEOPLE = {"feed_cursor": "a place in a feed", "inbox_event": "ids of events"}
# The id of somebody who is gone may stay in them; nothing else of theirs.
IDS_STAY = {
    "reader": "undoes what older events bring",
    "reader_follow": "keeps the order of two events",
    "delivery_email": "the key that keeps a mail from being written again",
}

EXPORTED = {"reader": "contact", "notification": "inbox", "delivery_email": "emails"}
NOT_EXPORTED = {
    "reader_follow": "what posts tells of whom one follows",
    "notification_fan_out": "jobs",
    "inbox_dead_event": "events of others",
}


@pytest.fixture
async def person(add_reader: AddReader) -> UserRegistered:
    names = {"username": "canary_1", "first_name": "Canaryfirst", "last_name": "Canarylast"}
    return await add_reader(email="canary@reader.example", **names)


@pytest.fixture
async def before(
    database: RolledBackDatabase, person: UserRegistered, add_reader: AddReader, apply: Apply
) -> dict[str, list[str]]:
    """What all tables held: of the person, and of what others were told of them."""
    user_id = person.user_id
    creator = await add_reader()
    await add_reader(follows=user_id)
    await apply(CreatorFollowed(creator_id=creator.user_id, follower_id=user_id))
    for creator_id in (user_id, creator.user_id):
        title = "Canary title" if creator_id == user_id else "Another"
        await apply(PostPublished(post_id=uuid4(), creator_id=creator_id, title=title, excerpt="Words"))
    for creator_id, reviewer_id in ((creator.user_id, user_id), (user_id, creator.user_id)):
        ids = {"review_id": uuid4(), "post_id": uuid4(), "creator_id": creator_id, "reviewer_id": reviewer_id}
        await apply(ReviewCreated(**ids, post_title="A post", rating=5))
    envelope = create_envelope(UserDeleted(user_id=user_id)).model_dump(mode="json")
    told = {"title": "Canary title", "text": "t", "link": "/", "data": {"creator_name": "Canary"}}
    async with database.transaction() as session:
        session.add(DeadEvent(consumer="n", event_id=uuid4(), envelope=envelope, error="canary", attempts=5))
        session.add(FanOut(creator_id=user_id, after_id=uuid4(), kind="post_published", subject_id=uuid4(), **told))
        # All mails have been sent but those that nobody has claimed.
        sent = update(DeliveryEmail).values(state="done", finished_at=func.now(), smtp_reply="250 for canary")
        await session.execute(sent.where(DeliveryEmail.kind == "post_published"))
    return await dump_tables(database)


async def count(database: Database, user_id: UUID) -> int:
    async with database.transaction() as session:
        query = select(func.count()).where(Notification.recipient_id == user_id)
        return await session.scalar(query) or 0


class TestLeftovers:
    async def test_every_table_is_filled_or_explained(self, before: dict[str, list[str]]) -> None:
        assert {name for name, rows in before.items() if not rows} - NOT_OF_PEOPLE.keys() == set()

    async def test_nothing_personal_is_left(
        self, database: RolledBackDatabase, person: UserRegistered, before: dict[str, list[str]], apply: Apply
    ) -> None:
        held = {name for name, rows in before.items() if any(CANARY in row for row in rows)}
        assert held >= {"reader", "notification", "notification_fan_out", "delivery_email", "inbox_dead_event"}
        await apply(UserDeleted(user_id=person.user_id), seq=9)
        await forget_late(database)
        for name, rows in (await dump_tables(database)).items():
            for row in rows:
                # A mail to somebody else is theirs; it is blanked thirty days after it was sent (ADR 0018).
                is_to_others = name == "delivery_email" and "@reader.example" in row.replace(person.email, "")
                assert CANARY not in row or is_to_others, f"{name} remembers: {row}"
                assert person.email not in row, f"{name} remembers the address"
                assert str(person.user_id) not in row or name in IDS_STAY, f"{name} remembers the id"

    async def test_every_table_is_exported_or_explained(self, database: RolledBackDatabase) -> None:
        explained = EXPORTED.keys() | NOT_EXPORTED.keys() | NOT_OF_PEOPLE.keys()
        assert (await dump_tables(database)).keys() - explained == set()
        assert set(EXPORTED.values()) == {part.name for part in PARTS}

    async def test_others_keep_theirs(
        self, database: RolledBackDatabase, person: UserRegistered, add_reader: AddReader, apply: Apply
    ) -> None:
        creator = await add_reader()
        reader = await add_reader(follows=creator.user_id)
        await apply(PostPublished(post_id=uuid4(), creator_id=creator.user_id, title="T", excerpt="E"))
        had = await count(database, reader.user_id)
        await apply(UserDeleted(user_id=person.user_id), seq=9)
        await forget_late(database)
        assert await count(database, reader.user_id) == had > 1


class TestLastMail:
    async def test_goes_out_and_is_forgotten(
        self,
        database: RolledBackDatabase,
        person: UserRegistered,
        apply: Apply,
        get_emails: Callable[..., Awaitable[list[DeliveryEmail]]],
    ) -> None:
        """It is the last word on the account, so it has to know the address a little longer."""
        await apply(SecurityNoticed(notice_id=uuid4(), user_id=person.user_id, kind="account_deleted"), seq=8)
        await apply(UserDeleted(user_id=person.user_id), seq=9)
        await forget_late(database)
        is_last = DeliveryEmail.kind == "security_notice"
        [mail] = await get_emails(database, is_last)
        assert (mail.recipient, mail.state, mail.params["title"]) == (
            person.email,
            "queued",
            "Your account was deleted",
        )
        async with database.transaction() as session:
            await session.execute(update(DeliveryEmail).where(is_last).values(state="done", finished_at=func.now()))
        await forget_late(database)
        [mail] = await get_emails(database, is_last)
        assert (mail.recipient, mail.params) == ("", {})
        assert await count(database, person.user_id) == 0


class TestLateEvents:
    async def test_what_the_other_feed_brings_goes_with_the_next_look(
        self, database: RolledBackDatabase, person: UserRegistered, add_reader: AddReader, apply: Apply
    ) -> None:
        reader = await add_reader(follows=person.user_id)
        had = await count(database, reader.user_id)
        await apply(UserDeleted(user_id=person.user_id), seq=9)
        await apply(PostPublished(post_id=uuid4(), creator_id=person.user_id, title="Late", excerpt="E"))
        ids = {"review_id": uuid4(), "post_id": uuid4(), "reviewer_id": reader.user_id}
        await apply(ReviewCreated(**ids, creator_id=person.user_id, post_title="Canary", rating=5))
        assert await count(database, person.user_id) == 1
        await forget_late(database)
        assert await count(database, person.user_id) == 0
        assert await count(database, reader.user_id) == had

    async def test_follow_that_comes_late_leads_to_nothing(
        self, database: RolledBackDatabase, person: UserRegistered, add_reader: AddReader, apply: Apply
    ) -> None:
        """The feed of posts may be behind that of auth for longer than we look again."""
        creator = await add_reader()
        await apply(UserDeleted(user_id=person.user_id), seq=9)
        await apply(CreatorFollowed(creator_id=creator.user_id, follower_id=person.user_id), seq=99)
        await apply(PostPublished(post_id=uuid4(), creator_id=creator.user_id, title="Late", excerpt="E"))
        assert await count(database, person.user_id) == 0

    async def test_in_batches(
        self,
        database: RolledBackDatabase,
        person: UserRegistered,
        add_reader: AddReader,
        apply: Apply,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        readers = [await add_reader(follows=person.user_id) for _ in range(3)]
        for _ in range(3):
            await apply(PostPublished(post_id=uuid4(), creator_id=person.user_id, title="T", excerpt="E"))
        await apply(UserDeleted(user_id=person.user_id), seq=9)
        for module in ("notifications.inbox.service", "notifications.deletions.service"):
            monkeypatch.setattr(f"{module}.FORGET_BATCH", 2)
        assert inbox.FORGET_BATCH == 2
        await forget_late(database)
        assert [await count(database, reader.user_id) for reader in readers] == [1, 1, 1]  # the welcome

    async def test_looks_for_two_days(self, database: RolledBackDatabase, person: UserRegistered, apply: Apply) -> None:
        """A second event does not begin them anew."""
        async with database.transaction() as session:
            past = func.now() - timedelta(days=3)
            await session.execute(update(Reader).filter_by(user_id=person.user_id).values(deleted_at=past))
        await apply(UserDeleted(user_id=person.user_id), seq=9)
        ids = {"review_id": uuid4(), "post_id": uuid4(), "reviewer_id": uuid4()}
        await apply(ReviewCreated(**ids, creator_id=person.user_id, post_title="T", rating=5))
        await forget_late(database)
        assert await count(database, person.user_id) == 1
