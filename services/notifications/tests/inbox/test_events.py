from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, literal, select

from chassis.contracts.accounts import UserConfirmed, UserRegistered
from chassis.contracts.posts import CreatorFollowed, CreatorUnfollowed, PostPublished, ReviewCreated
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements
from notifications.deliveries.models import DeliveryEmail
from notifications.inbox.models import Notification
from notifications.readers.models import Reader, ReaderFollow

Apply = Callable[..., Awaitable[None]]
AddReader = Callable[..., Awaitable[UserRegistered]]
Register = Callable[..., UserRegistered]
GetEmails = Callable[..., Awaitable[list[DeliveryEmail]]]
CountRows = Callable[..., Awaitable[int]]

FOLLOWERS = 10_000


def create_post(creator_id: UUID, **fields: Any) -> PostPublished:
    values: dict[str, Any] = {
        "post_id": uuid4(),
        "creator_id": creator_id,
        "title": "On rivers",
        "excerpt": "They run downhill.",
    }
    return PostPublished(**(values | fields))


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


class TestPostPublished:
    async def test_valid(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        creator = await add_reader(first_name="Ada", last_name="Reyes")
        follower = await add_reader(follows=creator.user_id)
        post = create_post(creator.user_id)
        await apply(post)
        [row] = await get_notifications(database, follower.user_id, "post_published")
        assert (row.title, row.text) == ("Ada Reyes published “On rivers”", "They run downhill.")
        assert (row.link, row.read_at) == (f"/api/v1/posts/{post.post_id}", None)
        assert row.data["post_id"] == str(post.post_id)
        [email] = await get_emails(database, DeliveryEmail.kind == "post_published")
        assert (email.recipient, email.recipient_id) == (follower.email, follower.user_id)
        assert email.dedupe_key == f"post_published:{post.post_id}:{follower.user_id}"
        assert email.params["first_name"] == "Mina"

    async def test_published_again(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, count_rows: CountRows
    ) -> None:
        creator_id = uuid4()
        await add_reader(follows=creator_id)
        post = create_post(creator_id)
        await apply(post, seq=1)
        await apply(post.model_copy(update={"title": "On rivers, corrected"}), seq=3)
        assert await count_rows(database, Notification, Notification.kind == "post_published") == 1
        assert await count_rows(database, DeliveryEmail, DeliveryEmail.kind == "post_published") == 1

    async def test_nobody_follows(self, database: RolledBackDatabase, apply: Apply, count_rows: CountRows) -> None:
        await apply(create_post(uuid4()))
        assert await count_rows(database, Notification) == 0

    async def test_unfollowed(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, count_rows: CountRows
    ) -> None:
        creator_id = uuid4()
        follower = await add_reader(follows=creator_id)
        await apply(CreatorUnfollowed(creator_id=creator_id, follower_id=follower.user_id), seq=2)
        await apply(create_post(creator_id))
        assert await count_rows(database, Notification, Notification.kind == "post_published") == 0

    async def test_unconfirmed(
        self, database: RolledBackDatabase, apply: Apply, add_reader: AddReader, get_emails: GetEmails
    ) -> None:
        creator_id = uuid4()
        follower = await add_reader(confirmed=False, follows=creator_id)
        await apply(create_post(creator_id))
        assert len(await get_notifications(database, follower.user_id, "post_published")) == 1
        assert await get_emails(database, DeliveryEmail.kind == "post_published") == []

    async def test_follower_whose_feed_is_behind(
        self, database: RolledBackDatabase, apply: Apply, register: Register, get_emails: GetEmails
    ) -> None:
        creator_id, follower = uuid4(), register()
        await apply(CreatorFollowed(creator_id=creator_id, follower_id=follower.user_id))
        await apply(create_post(creator_id))
        [row] = await get_notifications(database, follower.user_id, "post_published")
        assert row.title == "A creator you follow published “On rivers”"
        # The feed of auth catches up, in whatever order; the mail is not lost, nor written twice.
        await apply(UserConfirmed(user_id=follower.user_id), seq=2)
        await apply(follower, seq=1)
        await apply(UserConfirmed(user_id=follower.user_id), seq=2)
        [email] = await get_emails(database, DeliveryEmail.kind == "post_published")
        assert email.recipient == follower.email

    async def test_ten_thousand_followers_by_one_statement_each(
        self, database: RolledBackDatabase, apply: Apply, count_rows: CountRows
    ) -> None:
        creator_id = uuid4()
        await add_followers(database, creator_id, FOLLOWERS)
        with record_statements(database) as statements:
            await apply(create_post(creator_id))
        written = [statement for statement in statements if "INSERT" in statement]
        assert len(statements) == 3
        assert ["notification" in written[0], "delivery_email" in written[1], len(written)] == [True, True, 2]
        assert await count_rows(database, Notification) == FOLLOWERS
        distinct = await count_rows(database, DeliveryEmail)
        assert distinct == FOLLOWERS


async def add_followers(database: Database, creator_id: UUID, count: int) -> None:
    """Confirmed readers who follow, by two statements."""
    follower = select(func.uuidv7().label("id")).select_from(func.generate_series(1, count)).cte("follower")
    email = func.concat(follower.c.id, "@reader.example")
    readers = select(follower.c.id, email, literal("Mina"), literal("Okafor"), literal(value=True))
    async with database.transaction() as session:
        await session.execute(
            insert(Reader).from_select(["user_id", "email", "first_name", "last_name", "is_confirmed"], readers)
        )
        follows = select(literal(creator_id), Reader.user_id, literal(value=True), literal(1))
        await session.execute(
            insert(ReaderFollow).from_select(["creator_id", "follower_id", "is_following", "seq"], follows)
        )


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
