from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from chassis.contracts.accounts import UserConfirmed, UserRegistered
from chassis.contracts.posts import CreatorFollowed, CreatorUnfollowed
from chassis.events.exceptions import HandlerFailedError
from chassis.testing.databases import RolledBackDatabase
from notifications.background import AUTH_HANDLERS
from notifications.readers.models import Reader, ReaderFollow

Apply = Callable[..., Awaitable[None]]
Register = Callable[..., UserRegistered]


async def get_reader(database: RolledBackDatabase, user_id: UUID) -> Reader:
    async with database.transaction() as session:
        return await session.get_one(Reader, user_id)


async def is_following(database: RolledBackDatabase) -> list[bool]:
    async with database.transaction() as session:
        return list(await session.scalars(select(ReaderFollow.is_following)))


class TestUserRegistered:
    async def test_valid(self, database: RolledBackDatabase, apply: Apply, register: Register) -> None:
        event = register()
        await apply(event)
        reader = await get_reader(database, event.user_id)
        assert (reader.email, reader.first_name, reader.is_confirmed, reader.seq) == (event.email, "Mina", False, 1)

    async def test_older_changes_nothing(self, database: RolledBackDatabase, apply: Apply, register: Register) -> None:
        event = register(first_name="New")
        await apply(event, seq=5)
        await apply(event.model_copy(update={"first_name": "Old"}), seq=4)
        assert (await get_reader(database, event.user_id)).first_name == "New"

    async def test_address_with_line_break(self, apply: Apply, register: Register) -> None:
        event = register(email="mina@reader.example\r\nBcc: all@reader.example")
        with pytest.raises(HandlerFailedError) as failed:
            await apply(event)
        assert "reader.example" not in repr(failed.value.__cause__)


class TestUserConfirmed:
    async def test_twice(self, database: RolledBackDatabase, apply: Apply, register: Register) -> None:
        event = register()
        await apply(event)
        for _ in range(2):
            await apply(UserConfirmed(user_id=event.user_id), seq=2)
        assert (await get_reader(database, event.user_id)).is_confirmed

    async def test_before_registration(self, database: RolledBackDatabase, apply: Apply, register: Register) -> None:
        event = register()
        await apply(UserConfirmed(user_id=event.user_id), seq=2)
        assert (await get_reader(database, event.user_id)).email is None
        await apply(event, seq=1)
        reader = await get_reader(database, event.user_id)
        assert (reader.email, reader.is_confirmed) == (event.email, True)


class TestFollows:
    creator_id, follower_id = uuid4(), uuid4()

    @property
    def followed(self) -> CreatorFollowed:
        return CreatorFollowed(creator_id=self.creator_id, follower_id=self.follower_id)

    @property
    def unfollowed(self) -> CreatorUnfollowed:
        return CreatorUnfollowed(creator_id=self.creator_id, follower_id=self.follower_id)

    async def test_before_the_reader_is_known(self, database: RolledBackDatabase, apply: Apply) -> None:
        await apply(self.followed)
        assert await is_following(database) == [True]

    async def test_twice(self, database: RolledBackDatabase, apply: Apply) -> None:
        await apply(self.followed, seq=1)
        await apply(self.followed, seq=1)
        assert await is_following(database) == [True]

    async def test_unfollowed(self, database: RolledBackDatabase, apply: Apply) -> None:
        await apply(self.followed, seq=1)
        await apply(self.unfollowed, seq=2)
        assert await is_following(database) == [False]

    async def test_late_follow(self, database: RolledBackDatabase, apply: Apply) -> None:
        await apply(self.unfollowed, seq=2)
        await apply(self.followed, seq=1)
        assert await is_following(database) == [False]


class TestHandlers:
    def test_every_handled_event_is_of_its_feed(self) -> None:
        assert {event.__module__ for event in AUTH_HANDLERS} == {"chassis.contracts.accounts"}
