from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from chassis.contracts.accounts import UserConfirmed, UserRegistered
from chassis.contracts.posts import CreatorFollowed, CreatorUnfollowed, PostPublished
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from notifications.deliveries.models import DeliveryEmail
from notifications.inbox.models import Notification

Apply = Callable[..., Awaitable[None]]
AddReader = Callable[..., Awaitable[UserRegistered]]
Register = Callable[..., UserRegistered]
GetEmails = Callable[..., Awaitable[list[DeliveryEmail]]]
CountRows = Callable[..., Awaitable[int]]


def create_post(creator_id: UUID, **fields: Any) -> PostPublished:
    values: dict[str, Any] = {
        "post_id": uuid4(),
        "creator_id": creator_id,
        "title": "On rivers",
        "excerpt": "They run downhill.",
    }
    return PostPublished(**(values | fields))


async def get_notifications(database: Database, recipient_id: UUID, kind: str) -> list[Notification]:
    query = select(Notification).where(Notification.recipient_id == recipient_id, Notification.kind == kind)
    async with database.transaction() as session:
        return list(await session.scalars(query))


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
