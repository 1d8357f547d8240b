"""Following and unfollowing a creator."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.upstreams import ScriptedUpstream
from posts.creators.models import Creator

Headers = dict[str, str]
CreateProfile = Callable[..., Awaitable[Creator]]
Login = Callable[[UUID], Headers]


@pytest.fixture
async def creator(database: RolledBackDatabase, create_profile: CreateProfile) -> Creator:
    return await create_profile(database)


async def list_events(database: Database) -> list[tuple[str, int]]:
    async with database.transaction() as session:
        rows = await session.execute(
            select(OutboxEvent.type, OutboxEvent.aggregate_seq).order_by(OutboxEvent.aggregate_seq)
        )
        return [(kind, seq) for kind, seq in rows]


class TestFollowCreator:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, creator: Creator, login: Login
    ) -> None:
        """Each change is told once, and in an order that can be read off."""
        follower_id = uuid4()
        url, headers = f"/creators/{creator.id}/followers/me", login(follower_id)
        for method in ("PUT", "PUT", "DELETE", "DELETE", "PUT"):
            response = await client.request(method, url, headers=headers)

            assert (response.status_code, response.content) == (204, b"")
        assert await list_events(database) == [
            ("creator.followed", 1),
            ("creator.unfollowed", 2),
            ("creator.followed", 3),
        ]
        async with database.transaction() as session:
            events = (await session.scalars(select(OutboxEvent))).all()
        assert len({event.aggregate_id for event in events}) == 1
        assert all(
            event.payload == {"creator_id": str(creator.id), "follower_id": str(follower_id)} for event in events
        )

    async def test_creator_whose_event_is_late(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, auth: ScriptedUpstream, login: Login
    ) -> None:
        profile_id = uuid4()
        names = {"username": "zoe", "first_name": "Zoe", "last_name": "Park"}
        auth.clear().answer(200, {"id": str(profile_id), **names, "is_creator": True})

        response = await client.put(f"/creators/{profile_id}/followers/me", headers=login(uuid4()))

        assert response.status_code == 204
        assert await list_events(database) == [("creator.followed", 1)]

    async def test_anonymous(self, client: httpx.AsyncClient, creator: Creator) -> None:
        assert (await client.put(f"/creators/{creator.id}/followers/me")).status_code == 401

    async def test_conflict(self, client: httpx.AsyncClient, creator: Creator, login: Login) -> None:
        response = await client.put(f"/creators/{creator.id}/followers/me", headers=login(creator.id))

        assert (response.status_code, response.json()["code"]) == (409, "self_follow")

    async def test_not_found(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        auth: ScriptedUpstream,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        reader = await create_profile(database, is_creator=False)
        names = {"username": "x", "first_name": "x", "last_name": "x"}
        unknown = await client.put(f"/creators/{uuid4()}/followers/me", headers=login(uuid4()))
        auth.clear().answer(200, {"id": str(reader.id), **names, "is_creator": False})
        no_creator = await client.put(f"/creators/{reader.id}/followers/me", headers=login(uuid4()))

        assert (unknown.status_code, unknown.json()["code"]) == (404, "creator_not_found")
        assert no_creator.status_code == 404

    async def test_auth_is_away(
        self, client: httpx.AsyncClient, auth: ScriptedUpstream, creator: Creator, login: Login
    ) -> None:
        """Who is known is followed all the same."""
        auth.clear().fail()
        known = await client.put(f"/creators/{creator.id}/followers/me", headers=login(uuid4()))
        unknown = await client.put(f"/creators/{uuid4()}/followers/me", headers=login(uuid4()))

        assert known.status_code == 204
        assert (unknown.status_code, unknown.json()["code"]) == (503, "accounts_unavailable")

    async def test_race(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        creator = await create_profile(committed_database)
        url, headers = f"/creators/{creator.id}/followers/me", login(uuid4())
        responses = await asyncio.gather(*(committed_client.put(url, headers=headers) for _ in range(8)))

        assert {response.status_code for response in responses} == {204}
        assert await list_events(committed_database) == [("creator.followed", 1)]

    async def test_race_of_both(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        """Whatever the order was, the numbers of the events tell it without a gap."""
        creator = await create_profile(committed_database)
        url, headers = f"/creators/{creator.id}/followers/me", login(uuid4())
        methods = ("PUT", "DELETE") * 5
        await asyncio.gather(*(committed_client.request(method, url, headers=headers) for method in methods))

        events = await list_events(committed_database)
        assert [seq for _, seq in events] == list(range(1, len(events) + 1))
        assert all(kind == ("creator.followed" if seq % 2 else "creator.unfollowed") for kind, seq in events)


class TestUnfollowCreator:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, creator: Creator, login: Login
    ) -> None:
        """Also for one who never followed; nothing is told of it."""
        response = await client.delete(f"/creators/{creator.id}/followers/me", headers=login(uuid4()))

        assert response.status_code == 204
        assert await list_events(database) == []

    async def test_anonymous(self, client: httpx.AsyncClient, creator: Creator) -> None:
        assert (await client.delete(f"/creators/{creator.id}/followers/me")).status_code == 401

    async def test_not_found(self, client: httpx.AsyncClient, login: Login) -> None:
        response = await client.delete(f"/creators/{uuid4()}/followers/me", headers=login(uuid4()))

        assert (response.status_code, response.json()["code"]) == (404, "creator_not_found")
