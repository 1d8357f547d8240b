"""Usernames: changed, given up, and found again under every one of them."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.audit.models import AuditEntry
from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.profiles.models import Profile
from auth.profiles.schemas import ProfileRead
from auth.profiles.service import change_username
from chassis.config import load_config
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.polling import wait_until
from chassis.testing.statements import record_statements

CreateProfile = Callable[..., Awaitable[Profile]]
Login = Callable[[FastAPI, Profile], Awaitable[dict[str, str]]]
Headers = dict[str, str]
Rename = Callable[[Profile, str], Awaitable[httpx.Response]]
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@pytest.fixture
def rename(app: FastAPI, client: httpx.AsyncClient, login: Login) -> Rename:
    async def rename_it(profile: Profile, username: str) -> httpx.Response:
        headers = await login(app, profile)
        return await client.patch("/profiles/me", json={"username": username}, headers=headers)

    return rename_it


@pytest.fixture
async def mina(database: RolledBackDatabase, create_profile: CreateProfile) -> Profile:
    return await create_profile(database, username="Mina")


@pytest.fixture
async def noor(database: RolledBackDatabase, create_profile: CreateProfile) -> Profile:
    return await create_profile(database, username="noor")


class TestGetNamedProfile:
    async def test_not_found(self, client: httpx.AsyncClient, mina: Profile) -> None:
        response = await client.get(f"/profiles/by-username/{mina.username}_")
        assert (response.status_code, response.json()["code"]) == (404, "profile_not_found")

    @pytest.mark.parametrize("username", ["no", "a b", "Zoë", "x" * 31])
    async def test_malformed(self, client: httpx.AsyncClient, username: str) -> None:
        response = await client.get(f"/profiles/by-username/{username}")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "path.username")

    async def test_valid(self, client: httpx.AsyncClient, database: RolledBackDatabase, mina: Profile) -> None:
        with record_statements(database) as statements:
            response = await client.get("/profiles/by-username/Mina")
        assert len(statements) == 1
        shown = ProfileRead.model_validate_json(response.content, extra="forbid")
        assert shown.id == mina.id
        etag = response.headers["ETag"]
        assert etag == (await client.get(f"/profiles/{mina.id}")).headers["ETag"]
        same = await client.get("/profiles/by-username/Mina", headers={"If-None-Match": etag})
        assert same.status_code == 304

    @pytest.mark.usefixtures("mina")
    async def test_other_case_leads_to_the_spelling_of_its_owner(self, client: httpx.AsyncClient) -> None:
        for username in ("mina", "MINA"):
            response = await client.get(f"/profiles/by-username/{username}")
            assert (response.status_code, response.headers["Location"]) == (308, "Mina")
            # Who takes a former name back turns the way round: nobody may keep it.
            assert response.headers["Cache-Control"] == "no-store"
            assert response.next_request is not None
            assert response.next_request.url.path == "/profiles/by-username/Mina"

    async def test_hidden(self, client: httpx.AsyncClient, database: RolledBackDatabase, mina: Profile) -> None:
        """Banned or not confirmed: neither under this name nor under a former one."""
        async with database.transaction() as session:
            await change_username(session, await session.merge(mina), "mina_okafor")
            await session.execute(update(Profile).where(Profile.id == mina.id).values(hidden_at=func.now()))
        for username in ("Mina", "mina_okafor", "MINA_OKAFOR"):
            assert (await client.get(f"/profiles/by-username/{username}")).status_code == 404


class TestChangeUsername:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, mina: Profile, rename: Rename
    ) -> None:
        changed = await rename(mina, "Mina_Okafor")
        assert (changed.status_code, changed.json()["username"]) == (200, "Mina_Okafor")
        for former in ("Mina", "mina"):
            moved = await client.get(f"/profiles/by-username/{former}", follow_redirects=True)
            assert [answer.status_code for answer in moved.history] == [308]
            assert (moved.status_code, moved.json()["id"]) == (200, str(mina.id))
        async with database.transaction() as session:
            [entry] = await session.scalars(select(AuditEntry))
        assert (entry.action, entry.subject_id, entry.details) == ("username_changed", mina.id, {})

    async def test_all_former_ones_lead_there_at_once(
        self, client: httpx.AsyncClient, mina: Profile, rename: Rename
    ) -> None:
        names = ["mina_2", "mina_3", "mina_4"]
        for name in names:
            assert (await rename(mina, name)).status_code == 200
        for former in ("Mina", *names[:-1]):
            response = await client.get(f"/profiles/by-username/{former}")
            assert (response.status_code, response.headers["Location"]) == (308, "mina_4")

    async def test_owner_takes_a_former_one_back(
        self, client: httpx.AsyncClient, mina: Profile, rename: Rename
    ) -> None:
        await rename(mina, "mina_2")
        assert (await rename(mina, "mina")).json()["username"] == "mina"
        assert (await client.get("/profiles/by-username/mina")).status_code == 200
        assert (await client.get("/profiles/by-username/mina_2")).headers["Location"] == "mina"

    async def test_other_case_alone(self, client: httpx.AsyncClient, mina: Profile, rename: Rename) -> None:
        assert (await rename(mina, "MINA")).status_code == 200
        assert (await client.get("/profiles/by-username/Mina")).headers["Location"] == "MINA"

    @pytest.mark.parametrize("username", ["Mina", "mina", "MINA"])
    async def test_conflict(self, mina: Profile, noor: Profile, rename: Rename, username: str) -> None:
        response = await rename(noor, username)
        assert (response.status_code, response.json()["code"]) == (409, "username_taken")
        assert mina.username == "Mina"

    async def test_conflict_with_former_one(
        self,
        client: httpx.AsyncClient,
        mina: Profile,
        noor: Profile,
        rename: Rename,
        sign_up_form: dict[str, str],
    ) -> None:
        """Links to it must not lead to somebody else: neither by a change nor by a new account."""
        await rename(mina, "mina_okafor")
        taken = await rename(noor, "MINA")
        signed_up = await client.post("/profiles", json=sign_up_form | {"username": "mina"})
        for response in (taken, signed_up):
            assert (response.status_code, response.json()["code"]) == (409, "username_taken")
        assert (await client.get("/profiles/by-username/mina")).headers["Location"] == "mina_okafor"

    async def test_former_one_is_free_when_its_owner_is_gone(
        self, database: RolledBackDatabase, mina: Profile, noor: Profile, rename: Rename
    ) -> None:
        await rename(mina, "mina_okafor")
        async with database.transaction() as session:
            await session.delete(await session.get_one(Profile, mina.id))
        assert (await rename(noor, "mina")).status_code == 200


class TestLimit:
    @pytest.fixture(autouse=True)
    def limited(self, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LIMITS_USERNAME_CHANGE", "2/30 days")
        load_config.cache_clear()
        app.state.rate_limiter = RateLimiter(LimitsConfig(), b"of-the-limits", None, local_share=1)

    async def test_too_often(self, mina: Profile, noor: Profile, rename: Rename) -> None:
        assert [(await rename(mina, name)).status_code for name in ("mina_2", "mina_3")] == [200, 200]
        refused = await rename(mina, "mina_4")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) > 29 * 24 * 3600
        assert (await rename(noor, "mina_4")).status_code == 200

    async def test_what_changes_no_name_does_not_count(
        self, app: FastAPI, client: httpx.AsyncClient, mina: Profile, noor: Profile, login: Login, rename: Rename
    ) -> None:
        for _ in range(3):
            assert (await rename(mina, "Mina")).status_code == 200
            assert (await rename(mina, noor.username)).status_code == 409
            headers = await login(app, mina) | {"If-Match": '"99.0000000000000000"'}
            stale = await client.patch("/profiles/me", json={"username": "mina_2"}, headers=headers)
            assert stale.status_code == 412
        assert (await rename(mina, "mina_2")).status_code == 200


class TestRaces:
    async def test_ten_take_one_name(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        profiles = [await create_profile(committed_database) for _ in range(10)]
        headers = [await login(committed_app, profile) for profile in profiles]
        spellings = ["Wanted", "wanted"] * 5
        answers = await asyncio.gather(
            *(
                committed_client.patch("/profiles/me", json={"username": name}, headers=own)
                for name, own in zip(spellings, headers, strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, *[409] * 9]
        [winner] = [answer.json() for answer in answers if answer.is_success]
        found = await committed_client.get("/profiles/by-username/wanted", follow_redirects=True)
        assert found.json()["id"] == winner["id"]

    async def test_name_that_is_being_given_up_goes_to_nobody_else(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        sign_up_form: dict[str, str],
    ) -> None:
        """Who wants it has to wait for its owner, and must look again then."""
        owner = await create_profile(committed_database)
        form = sign_up_form | {"username": owner.username.upper()}

        async def is_waiting() -> bool:
            return bool(await committed_database.reader.fetch_value(WAITING))

        async with asyncio.TaskGroup() as group, committed_database.transaction() as session:
            await change_username(session, await session.merge(owner), f"{owner.username}_2")
            signing_up = group.create_task(committed_client.post("/profiles", json=form))
            await wait_until(is_waiting)
        response = signing_up.result()
        assert (response.status_code, response.json()["code"]) == (409, "username_taken")
