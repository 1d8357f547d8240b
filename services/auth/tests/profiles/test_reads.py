"""`GET /profiles/me`, `GET /profiles/{profile_id}`, `GET /creators/{profile_id}`: one statement each."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
from fastapi import FastAPI

from auth.accounts.schemas import ProfileMe
from auth.creators.schemas import CreatorRead
from auth.profiles.models import Profile
from auth.profiles.schemas import ProfileRead
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

CreateProfile = Callable[..., Awaitable[Profile]]
Login = Callable[[FastAPI, Profile], Awaitable[dict[str, str]]]


class TestGetOwnProfile:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/profiles/me")
        assert (response.status_code, response.json()["code"]) == (401, "token_missing")
        assert response.headers["WWW-Authenticate"] == "Bearer"

    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        profile = await create_profile(database, first_name='Zoë "Zo"')
        headers = await login(app, profile)
        await client.get("/profiles/me", headers=headers)
        with record_statements(database) as statements:
            response = await client.get("/profiles/me", headers=headers)
        assert len(statements) == 1
        shown = ProfileMe.model_validate_json(response.content, extra="forbid")
        assert (shown.id, shown.first_name, shown.is_confirmed) == (profile.id, 'Zoë "Zo"', True)
        assert shown.model_dump_json() == response.text.replace(" : ", ":").replace(", ", ",")

    async def test_not_found_after_deletion(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        profile = await create_profile(database)
        headers = await login(app, profile)
        async with database.transaction() as session:
            await session.delete(await session.merge(profile))
        response = await client.get("/profiles/me", headers=headers)
        assert (response.status_code, response.json()["code"]) == (404, "profile_not_found")


class TestGetProfile:
    async def test_not_found(self, client: httpx.AsyncClient) -> None:
        response = await client.get(f"/profiles/{uuid4()}")
        assert (response.status_code, response.json()["code"]) == (404, "profile_not_found")

    async def test_malformed_id(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/profiles/42")
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == "path.profile_id"

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, create_profile: CreateProfile
    ) -> None:
        profile = await create_profile(database)
        with record_statements(database) as statements:
            response = await client.get(f"/profiles/{profile.id}")
        assert len(statements) == 1
        shown = ProfileRead.model_validate_json(response.content, extra="forbid")
        assert (shown.id, shown.username, shown.is_creator) == (profile.id, profile.username, False)
        assert "people.example" not in response.text

    async def test_not_modified_until_it_changes(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, create_profile: CreateProfile
    ) -> None:
        profile = await create_profile(database)
        etag = (await client.get(f"/profiles/{profile.id}")).headers["ETag"]
        same = await client.get(f"/profiles/{profile.id}", headers={"If-None-Match": etag})
        assert (same.status_code, same.content) == (304, b"")
        async with database.transaction() as session:
            (await session.merge(profile)).first_name = "Noor"
        changed = await client.get(f"/profiles/{profile.id}", headers={"If-None-Match": etag})
        assert (changed.status_code, changed.json()["first_name"]) == (200, "Noor")


class TestGetCreator:
    async def test_not_found(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, create_profile: CreateProfile
    ) -> None:
        profile = await create_profile(database)
        for profile_id in (profile.id, uuid4()):
            response = await client.get(f"/creators/{profile_id}")
            assert (response.status_code, response.json()["code"]) == (404, "creator_not_found")

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, create_profile: CreateProfile
    ) -> None:
        profile = await create_profile(database, is_creator=True, pen_name="M. O.")
        with record_statements(database) as statements:
            response = await client.get(f"/creators/{profile.id}")
        assert len(statements) == 1
        shown = CreatorRead.model_validate_json(response.content, extra="forbid")
        assert (shown.id, shown.is_creator, shown.pen_name, shown.bio) == (profile.id, True, "M. O.", None)
