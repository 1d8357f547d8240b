"""Another address: both have to confirm."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.accounts.models import Account
from auth.confirmations.models import Confirmation
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

NEW = "new@people.example"
OLD_LINK, NEW_LINK = "email_change_old", "email_change_new"

ReadTokens = Callable[[FastAPI], Awaitable[dict[str, str]]]
Login = Callable[..., Awaitable[dict[str, str]]]


async def read_email(database: Database, profile: Profile) -> str:
    async with database.transaction() as session:
        return (await session.scalars(select(Account.email).filter_by(profile_id=profile.id))).one()


@pytest.fixture
async def tokens(
    app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login, read_tokens: ReadTokens
) -> dict[str, str]:
    response = await client.post("/auth/email-changes", json={"email": NEW}, headers=await login(app, profile))
    assert (response.status_code, response.json()) == (202, None)
    return await read_tokens(app)


class TestRequest:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/auth/email-changes", json={"email": NEW})).status_code == 401

    @pytest.mark.usefixtures("tokens")
    async def test_both_addresses_get_a_mail(
        self,
        database: RolledBackDatabase,
        profile: Profile,
        email: str,
        list_mails: Callable[[Database], Awaitable[list[tuple[str, str]]]],
    ) -> None:
        assert await list_mails(database) == [(email, OLD_LINK), (NEW, NEW_LINK)]
        assert await read_email(database, profile) == email

    async def test_nobody_learns_whose_address_it_is(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        login: Login,
        create_profile: Callable[..., Awaitable[Profile]],
    ) -> None:
        other, headers = await create_profile(database), await login(app, profile)
        answers = [
            await client.post("/auth/email-changes", json={"email": address}, headers=headers)
            for address in (f"{other.username}@people.example", "free@people.example")
        ]
        assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"null")] * 2


class TestConfirm:
    @pytest.mark.parametrize("order", [(OLD_LINK, NEW_LINK), (NEW_LINK, OLD_LINK)])
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        email: str,
        tokens: dict[str, str],
        order: tuple[str, str],
    ) -> None:
        answers = [await client.put("/auth/email-changes", json={"token": tokens[link]}) for link in order]
        assert [answer.json() for answer in answers] == [{"is_changed": False}, {"is_changed": True}]
        assert await read_email(database, profile) == NEW
        async with database.transaction() as session:
            *_, notice, updated = await session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
        assert (notice.payload["kind"], notice.payload["email"]) == ("email_changed", email)
        assert (updated.type, updated.payload["email"]) == ("user.updated", NEW)
        assert notice.aggregate_seq < updated.aggregate_seq

    async def test_reset_link_of_the_old_address_is_void(
        self, app: FastAPI, client: httpx.AsyncClient, email: str, tokens: dict[str, str], read_tokens: ReadTokens
    ) -> None:
        await client.post("/auth/password-resets", json={"email": email})
        link = (await read_tokens(app))["password_reset"]
        for name in (OLD_LINK, NEW_LINK):
            await client.put("/auth/email-changes", json={"token": tokens[name]})
        reset = await client.put("/auth/password-resets", json={"token": link, "password": "Staple-Zebra-9-Lantern"})
        assert reset.status_code == 400

    async def test_one_address_is_not_enough(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        email: str,
        tokens: dict[str, str],
    ) -> None:
        answers = [await client.put("/auth/email-changes", json={"token": tokens[NEW_LINK]}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 400]
        assert await read_email(database, profile) == email

    async def test_halves_of_two_changes_make_none(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        email: str,
        tokens: dict[str, str],
        login: Login,
        read_tokens: ReadTokens,
    ) -> None:
        await client.put("/auth/email-changes", json={"token": tokens[OLD_LINK]})
        body = {"email": "third@people.example"}
        await client.post("/auth/email-changes", json=body, headers=await login(app, profile))
        third = await read_tokens(app)
        response = await client.put("/auth/email-changes", json={"token": third[NEW_LINK]})
        assert response.json() == {"is_changed": False}
        assert await read_email(database, profile) == email

    async def test_conflict(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        email: str,
        tokens: dict[str, str],
    ) -> None:
        """Somebody else has confirmed the address meanwhile."""
        await client.put("/auth/email-changes", json={"token": tokens[OLD_LINK]})
        async with database.transaction() as session:
            rival = Profile(username="rival", first_name="R", last_name="I")
            session.add(rival)
            await session.flush()
            session.add(Account(profile_id=rival.id, email=NEW, password_hash="x", confirmed_at=func.now()))
        response = await client.put("/auth/email-changes", json={"token": tokens[NEW_LINK]})
        assert (response.status_code, response.json()["code"]) == (409, "address_unavailable")
        page = await client.post("/auth/email-change", data={"token": tokens[NEW_LINK]})
        assert (page.status_code, "belongs to another account" in page.text) == (409, True)
        assert await read_email(database, profile) == email
        async with database.transaction() as session:
            used = select(func.count()).select_from(Confirmation).where(Confirmation.confirmed_at.is_not(None))
            assert (await session.scalars(used)).one() == 1

    async def test_expired(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, tokens: dict[str, str]
    ) -> None:
        async with database.transaction() as session:
            await session.execute(update(Confirmation).values(expires_at=func.now()))
        response = await client.put("/auth/email-changes", json={"token": tokens[NEW_LINK]})
        assert (response.status_code, response.json()["code"]) == (400, "link_invalid")

    async def test_both_at_once(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: Callable[..., Awaitable[Profile]],
        login: Login,
        read_tokens: ReadTokens,
    ) -> None:
        """The later one sees the earlier: neither leaves the change to the other."""
        profile = await create_profile(committed_database)
        headers = await login(committed_app, profile)
        await committed_client.post("/auth/email-changes", json={"email": NEW}, headers=headers)
        tokens = await read_tokens(committed_app)
        links = [tokens[OLD_LINK], tokens[NEW_LINK]] * 4
        answers = await asyncio.gather(
            *(committed_client.put("/auth/email-changes", json={"token": link}) for link in links)
        )
        assert sorted(answer.status_code for answer in answers) == [200] * 2 + [400] * 6
        assert await read_email(committed_database, profile) == NEW


class TestPage:
    async def test_valid(self, client: httpx.AsyncClient, tokens: dict[str, str]) -> None:
        looks = [await client.get("/auth/email-change", params={"token": tokens[OLD_LINK]}) for _ in range(2)]
        assert {look.status_code for look in looks} == {200}
        first = await client.post("/auth/email-change", data={"token": tokens[OLD_LINK]})
        assert "One address has confirmed" in first.text
        second = await client.post("/auth/email-change", data={"token": tokens[NEW_LINK]})
        assert "is changed" in second.text

    @pytest.mark.parametrize("form", [{"token": "A" * 43}, {"token": "<b>"}, {}])
    async def test_invalid(self, client: httpx.AsyncClient, form: dict[str, str]) -> None:
        response = await client.post("/auth/email-change", data=form)
        assert (response.status_code, "not valid" in response.text) == (400, True)
