from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

from sqlalchemy import select

from chassis.contracts.accounts import UserRegistered
from chassis.contracts.posts import ReviewCreated
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from notifications.deliveries.models import DeliveryEmail
from notifications.inbox.models import Notification

Apply = Callable[..., Awaitable[None]]
AddReader = Callable[..., Awaitable[UserRegistered]]
Register = Callable[..., UserRegistered]
GetEmails = Callable[..., Awaitable[list[DeliveryEmail]]]
CountRows = Callable[..., Awaitable[int]]


def create_review(creator_id: UUID, reviewer_id: UUID) -> ReviewCreated:
    return ReviewCreated(
        review_id=uuid4(),
        post_id=uuid4(),
        post_title="On rivers",
        creator_id=creator_id,
        reviewer_id=reviewer_id,
        rating=4,
    )


async def get_notifications(database: Database, recipient_id: UUID, kind: str) -> list[Notification]:
    query = select(Notification).where(Notification.recipient_id == recipient_id, Notification.kind == kind)
    async with database.transaction() as session:
        return list(await session.scalars(query))


class TestUserRegistered:
    async def test_valid(
        self, database: RolledBackDatabase, apply: Apply, register: Register, get_emails: GetEmails
    ) -> None:
        event = register()
        await apply(event)
        [welcome] = await get_notifications(database, event.user_id, "welcome")
        assert welcome.title == "Welcome to Broadsheet, Mina"
        [email] = await get_emails(database)
        assert (email.kind, email.recipient, email.policy) == ("confirmation", event.email, "at_least_once")
        assert email.message_id == f"<{email.id}@mail.example>"
        # The mail goes on in the trace of the sign-up.
        assert email.traceparent is not None
        assert email.params == {"confirmation_id": str(event.confirmation_id), "first_name": "Mina"}

    async def test_twice(
        self, database: RolledBackDatabase, apply: Apply, register: Register, count_rows: CountRows
    ) -> None:
        event = register()
        await apply(event)
        await apply(event)
        assert await count_rows(database, Notification) == 1
        assert await count_rows(database, DeliveryEmail) == 1


class TestReviewCreated:
    async def test_valid(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        creator, reviewer = await add_reader(), await add_reader(first_name="Ada", last_name="Reyes")
        review = create_review(creator.user_id, reviewer.user_id)
        await apply(review)
        [row] = await get_notifications(database, creator.user_id, "review_created")
        assert (row.title, row.text) == ("Ada Reyes reviewed “On rivers”", "Rated 4 of 5.")
        assert row.link == f"/api/v1/posts/{review.post_id}/reviews"
        [email] = await get_emails(database, DeliveryEmail.kind == "review_created")
        assert (email.recipient, email.policy) == (creator.email, "at_most_once")

    async def test_twice(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, count_rows: CountRows
    ) -> None:
        creator = await add_reader()
        review = create_review(creator.user_id, uuid4())
        await apply(review)
        await apply(review)
        assert await count_rows(database, Notification, Notification.kind == "review_created") == 1
        assert await count_rows(database, DeliveryEmail, DeliveryEmail.kind == "review_created") == 1
