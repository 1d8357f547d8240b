"""`PATCH /profiles/me`."""

import unicodedata
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from auth.accounts.constants import TOLD_FIELDS
from auth.accounts.schemas import ProfileMe
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

CreateProfile = Callable[..., Awaitable[Profile]]
Login = Callable[[FastAPI, Profile], Awaitable[dict[str, str]]]
Headers = dict[str, str]
PATH = "/profiles/me"
WHOLE = {
    "first_name": "Zoë",
    "last_name": "Ní Dhuibhne",
    "bio": "Writes on houses.\n\nAnd boats.",
    "website": "https://zoe.example/about",
    "language": "ga-IE",
    "time_zone": "Europe/Dublin",
}


async def list_events(database: Database) -> list[OutboxEvent]:
    async with database.transaction() as session:
        return list(await session.scalars(select(OutboxEvent).order_by(OutboxEvent.id)))


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: CreateProfile) -> Profile:
    return await create_profile(database)


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Login) -> Headers:
    return await login(app, profile)


class TestUpdateProfile:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.patch(PATH, json=WHOLE)
        assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    async def test_not_found_after_deletion(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, headers: Headers
    ) -> None:
        async with database.transaction() as session:
            await session.delete(await session.merge(profile))
        response = await client.patch(PATH, json=WHOLE, headers=headers)
        assert (response.status_code, response.json()["code"]) == (404, "profile_not_found")

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, headers: Headers
    ) -> None:
        response = await client.patch(PATH, json=WHOLE, headers=headers)
        assert response.status_code == 200
        shown = ProfileMe.model_validate_json(response.content, extra="forbid").model_dump()
        assert shown.items() >= WHOLE.items()
        assert (shown["username"], shown["roles"]) == (profile.username, [])
        read = await client.get(PATH, headers=headers)
        assert (read.content, read.headers["ETag"]) == (response.content, response.headers["ETag"])
        [event] = await list_events(database)
        assert (event.type, event.aggregate_id, event.aggregate_seq) == ("user.updated", profile.id, 2)
        assert event.payload == {
            "user_id": str(profile.id),
            "email": f"{profile.username}@people.example",
            "username": profile.username,
            "avatar_url": None,
            **{name: WHOLE[name] for name in ("first_name", "last_name", "language", "time_zone")},
        }

    async def test_others_see_neither_address_nor_settings(
        self, client: httpx.AsyncClient, profile: Profile, headers: Headers
    ) -> None:
        await client.patch(PATH, json=WHOLE, headers=headers)
        shown = (await client.get(f"/profiles/{profile.id}")).json()
        assert shown.keys() == {
            "id", "username", "first_name", "last_name", "bio", "website", "avatar_url", "is_creator", "created_at"
        }  # fmt: skip
        assert (shown["bio"], shown["website"]) == (WHOLE["bio"], WHOLE["website"])

    @pytest.mark.parametrize("field", WHOLE)
    async def test_one_field_leaves_the_others(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, field: str
    ) -> None:
        before = (await client.get(PATH, headers=headers)).json()
        after = (await client.patch(PATH, json={field: WHOLE[field]}, headers=headers)).json()
        changed = {name for name, value in after.items() if before[name] != value}
        assert changed - {"updated_at"} == {field}
        # Others are told of what they show or use, and of nothing else.
        assert len(await list_events(database)) == (field in TOLD_FIELDS)

    @pytest.mark.parametrize("field", ["bio", "website", "language", "time_zone"])
    async def test_null_empties(self, client: httpx.AsyncClient, headers: Headers, field: str) -> None:
        await client.patch(PATH, json=WHOLE, headers=headers)
        emptied = await client.patch(PATH, json={field: None}, headers=headers)
        assert (emptied.status_code, emptied.json()[field]) == (200, None)

    @pytest.mark.parametrize("body", [{}, WHOLE])
    async def test_nothing_new_changes_nothing(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers, body: dict[str, str]
    ) -> None:
        first = await client.patch(PATH, json=WHOLE, headers=headers)
        again = await client.patch(PATH, json=body, headers=headers)
        assert (again.content, again.headers["ETag"]) == (first.content, first.headers["ETag"])
        assert len(await list_events(database)) == 1

    async def test_stale_version(self, client: httpx.AsyncClient, headers: Headers) -> None:
        etag = (await client.get(PATH, headers=headers)).headers["ETag"]
        first = await client.patch(PATH, json={"bio": "One."}, headers=headers | {"If-Match": etag})
        second = await client.patch(PATH, json={"bio": "Two."}, headers=headers | {"If-Match": etag})
        assert (first.status_code, second.status_code, second.json()["code"]) == (200, 412, "version_stale")
        etag = first.headers["ETag"]
        third = await client.patch(PATH, json={"bio": "Two."}, headers=headers | {"If-Match": etag})
        assert third.json()["bio"] == "Two."

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"first_name": None}, "string_type"),
            ({"username": None}, "string_type"),
            ({"username": ""}, "string_too_short"),
            ({"first_name": " "}, "string_too_short"),
            ({"last_name": "a\u202eb"}, "string_pattern_mismatch"),
            ({"last_name": "\u200b\u200d"}, "name_invisible"),
            ({"bio": "x" * 2001}, "string_too_long"),
            ({"bio": "a\x1bb"}, "string_pattern_mismatch"),
            ({"website": "javascript:alert(1)"}, "website_invalid"),
            ({"website": "zoe.example"}, "website_invalid"),
            ({"website": "ftp://zoe.example"}, "website_invalid"),
            ({"website": "https://bank.example@zoe.example/"}, "website_with_credentials"),
            ({"website": "https://zoe.example/" + "x" * 300}, "string_too_long"),
            ({"website": "https://zoe.example/" + "ü" * 100}, "website_too_long"),
            ({"language": "xx-YY"}, "language_unknown"),
            ({"language": "en_US"}, "string_pattern_mismatch"),
            ({"time_zone": "Europe/Atlantis"}, "time_zone_unknown"),
            ({"time_zone": "../../etc/passwd"}, "time_zone_unknown"),
            ({"username": "root"}, "username_reserved"),
            ({"username": "Zoë"}, "string_pattern_mismatch"),
            ({"email": "new@people.example"}, "extra_forbidden"),
            ({"is_creator": True}, "extra_forbidden"),
            ({"roles": ["admin"]}, "extra_forbidden"),
        ],
    )
    async def test_malformed(
        self, client: httpx.AsyncClient, headers: Headers, body: dict[str, Any], code: str
    ) -> None:
        before = (await client.get(PATH, headers=headers)).content
        response = await client.patch(PATH, json={"bio": "Not this."} | body, headers=headers)
        assert response.status_code == 422
        found = [(error["field"], error["code"]) for error in response.json()["errors"]]
        assert found == [(f"body.{next(iter(body))}", code)]
        assert (await client.get(PATH, headers=headers)).content == before

    @pytest.mark.parametrize(
        ("field", "typed", "stored"),
        [
            ("first_name", unicodedata.normalize("NFD", "  Zoë "), "Zoë"),
            ("bio", "One.\r\nTwo.\r\n", "One.\nTwo."),
            ("website", "HTTPS://Bücher.example", "https://xn--bcher-kva.example/"),
            ("language", "zh-hant-tw", "zh-Hant-TW"),
            ("language", "iw", "he"),
        ],
    )
    async def test_one_spelling(
        self, client: httpx.AsyncClient, headers: Headers, field: str, typed: str, stored: str
    ) -> None:
        response = await client.patch(PATH, json={field: typed}, headers=headers)
        assert response.json()[field] == stored

    async def test_creators_are_shown_with_it(
        self, client: httpx.AsyncClient, profile: Profile, headers: Headers
    ) -> None:
        await client.put(f"/creators/{profile.id}", json={"pen_name": "Z."}, headers=headers)
        await client.patch(PATH, json=WHOLE, headers=headers)
        creator = (await client.get(f"/creators/{profile.id}")).json()
        assert (creator["pen_name"], creator["bio"], creator["website"]) == ("Z.", WHOLE["bio"], WHOLE["website"])
