"""`PUT /creators/{profile_id}`."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text, update

from auth.accounts.models import Account
from auth.accounts.service import lock_profile
from auth.profiles.models import Profile
from auth.sessions.service import OpenSession
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

CreateProfile = Callable[..., Awaitable[Profile]]
Login = Callable[[FastAPI, Profile], Awaitable[dict[str, str]]]


async def list_events(database: Database) -> list[OutboxEvent]:
    async with database.transaction() as session:
        return list(await session.scalars(select(OutboxEvent).order_by(OutboxEvent.id)))


class TestUpdateCreator:
    @pytest.fixture
    async def profile(self, database: RolledBackDatabase, create_profile: CreateProfile) -> Profile:
        return await create_profile(database)

    @pytest.fixture
    async def headers(self, app: FastAPI, profile: Profile, login: Login) -> dict[str, str]:
        return await login(app, profile)

    async def test_anonymous(self, client: httpx.AsyncClient, profile: Profile) -> None:
        response = await client.put(f"/creators/{profile.id}", json={})
        assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    async def test_forbidden(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        headers: dict[str, str],
    ) -> None:
        other = await create_profile(database)
        response = await client.put(f"/creators/{other.id}", json={}, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "not_own_profile")
        assert await list_events(database) == []

    async def test_forbidden_before_confirmation(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        profile = await create_profile(database, confirmed=False)
        response = await client.put(f"/creators/{profile.id}", json={}, headers=await login(app, profile))
        assert (response.status_code, response.json()["code"]) == (403, "email_not_confirmed")

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, headers: dict[str, str]
    ) -> None:
        body = {"pen_name": " M. O. ", "bio": "Writes on houses."}
        response = await client.put(f"/creators/{profile.id}", json=body, headers=headers)
        assert response.status_code == 200
        creator = response.json()
        assert (creator["is_creator"], creator["pen_name"], creator["bio"]) == (True, "M. O.", "Writes on houses.")
        assert (await client.get(f"/creators/{profile.id}")).json() == creator
        [event] = await list_events(database)
        assert (event.type, event.aggregate_id, event.aggregate_seq) == ("creator.activated", profile.id, 2)
        assert event.payload["username"] == profile.username

    async def test_repeat_changes_nothing(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, headers: dict[str, str]
    ) -> None:
        await client.put(f"/creators/{profile.id}", json={"bio": "One."}, headers=headers)
        etag = (await client.get(f"/creators/{profile.id}")).headers["ETag"]
        again = await client.put(f"/creators/{profile.id}", json={"bio": "One."}, headers=headers)
        assert again.status_code == 200
        assert (await client.get(f"/creators/{profile.id}")).headers["ETag"] == etag
        replaced = await client.put(f"/creators/{profile.id}", json={}, headers=headers)
        assert replaced.json()["bio"] is None
        assert len(await list_events(database)) == 1

    async def test_stale_version(self, client: httpx.AsyncClient, profile: Profile, headers: dict[str, str]) -> None:
        etag = (await client.get(f"/profiles/{profile.id}")).headers["ETag"]
        path = f"/creators/{profile.id}"
        first = await client.put(path, json={"bio": "One."}, headers=headers | {"If-Match": etag})
        second = await client.put(path, json={"bio": "Two."}, headers=headers | {"If-Match": etag})
        assert (first.status_code, second.status_code) == (200, 412)

    @pytest.mark.parametrize(
        ("body", "field"),
        [({"bio": "x" * 2001}, "bio"), ({"pen_name": ""}, "pen_name"), ({"is_creator": False}, "is_creator")],
    )
    async def test_malformed(
        self,
        client: httpx.AsyncClient,
        profile: Profile,
        headers: dict[str, str],
        body: dict[str, object],
        field: str,
    ) -> None:
        response = await client.put(f"/creators/{profile.id}", json=body, headers=headers)
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == f"body.{field}"

    async def test_ten_at_once_tell_it_once(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        profile = await create_profile(committed_database)
        headers = await login(committed_app, profile)
        path = f"/creators/{profile.id}"
        answers = await asyncio.gather(*(committed_client.put(path, json={}, headers=headers) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(await list_events(committed_database)) == 1

    async def test_logging_in_meanwhile_does_not_wait(
        self,
        committed_app: FastAPI,
        committed_database: Database,
        create_profile: CreateProfile,
        open_session: Callable[..., Awaitable[OpenSession]],
    ) -> None:
        """A login locks the account, then its profile: who held both the other way round could wait for ever."""
        profile = await create_profile(committed_database)
        async with committed_database.transaction() as session:
            assert await lock_profile(session, profile.id)
            async with committed_database.transaction() as other:
                await other.execute(text("set local lock_timeout = '500ms'"))
                renewal = update(Account).where(Account.profile_id == profile.id).values(confirmed_at=None)
                await other.execute(renewal)
            opened = await open_session(committed_app, profile)
        assert opened.claims.profile_id == profile.id
