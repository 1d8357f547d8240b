"""Confirming an address: by API, by the page that the mail leads to, and what the mail asks for."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text, update

from auth.accounts.models import Account
from auth.background import prune_all
from auth.confirmations.models import Confirmation
from auth.confirmations.service import create_confirmation
from auth.confirmations.utils import ConfirmationSigner, compute_digest
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

Form = dict[str, str]
ActAsService = Callable[[FastAPI, str, str], Awaitable[dict[str, str]]]


async def read_confirmation(database: Database) -> Confirmation:
    async with database.transaction() as session:
        return (await session.scalars(select(Confirmation))).one()


async def list_event_types(database: Database) -> list[str]:
    async with database.transaction() as session:
        return list(await session.scalars(select(OutboxEvent.type).order_by(OutboxEvent.id)))


async def is_confirmed(database: Database) -> bool:
    async with database.transaction() as session:
        return (await session.scalars(select(Account.confirmed_at.is_not(None)))).one()


async def count_rows(database: Database, model: type[Confirmation] | type[Profile]) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(model))).one()


async def expire(database: Database, hours: int) -> None:
    async with database.transaction() as session:
        await session.execute(update(Confirmation).values(expires_at=func.now() - text(f"interval '{hours} h'")))


@pytest.fixture
async def token(app: FastAPI, client: httpx.AsyncClient, database: RolledBackDatabase, sign_up_form: Form) -> str:
    """Of somebody who has just signed up, as their mail has it."""
    await client.post("/profiles", json=sign_up_form)
    signer: ConfirmationSigner = app.state.confirmation_signer
    return signer.derive_token((await read_confirmation(database)).id)


class TestConfirmProfile:
    async def test_valid(self, client: httpx.AsyncClient, database: RolledBackDatabase, token: str) -> None:
        response = await client.post("/profiles/confirmations", json={"token": token})
        assert (response.status_code, response.content) == (204, b"")
        assert await is_confirmed(database)
        assert await list_event_types(database) == ["user.registered", "user.confirmed"]

    async def test_token_works_once(self, client: httpx.AsyncClient, database: RolledBackDatabase, token: str) -> None:
        await client.post("/profiles/confirmations", json={"token": token})
        again = await client.post("/profiles/confirmations", json={"token": token})
        assert (again.status_code, again.json()["code"]) == (400, "confirmation_invalid")
        assert len(await list_event_types(database)) == 2

    async def test_expired(self, client: httpx.AsyncClient, database: RolledBackDatabase, token: str) -> None:
        await expire(database, 0)
        response = await client.post("/profiles/confirmations", json={"token": token})
        assert (response.status_code, response.json()["code"]) == (400, "confirmation_invalid")
        assert not await is_confirmed(database)

    async def test_unknown(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/profiles/confirmations", json={"token": "A" * 43})
        assert (response.status_code, response.json()["code"]) == (400, "confirmation_invalid")

    @pytest.mark.parametrize("token", ["", "short", "A" * 44, "A" * 42 + "!"])
    async def test_malformed(self, client: httpx.AsyncClient, token: str) -> None:
        response = await client.post("/profiles/confirmations", json={"token": token})
        assert response.status_code == 422

    async def test_database_holds_no_token(self, database: RolledBackDatabase, token: str) -> None:
        stored = await read_confirmation(database)
        assert stored.token_digest == compute_digest(token)
        async with database.transaction() as session:
            events = (await session.scalars(text("select payload::text from outbox_event"))).all()
        assert not any(token in event for event in events)

    async def test_one_of_ten_at_once(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        sign_up_form: Form,
    ) -> None:
        await committed_client.post("/profiles", json=sign_up_form)
        confirmation = await read_confirmation(committed_database)
        body = {"token": committed_app.state.confirmation_signer.derive_token(confirmation.id)}
        answers = await asyncio.gather(
            *(committed_client.post("/profiles/confirmations", json=body) for _ in range(10))
        )
        assert sorted(answer.status_code for answer in answers) == [204] + [400] * 9
        assert await list_event_types(committed_database) == ["user.registered", "user.confirmed"]


class TestRivals:
    async def test_first_to_confirm_gets_the_address(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        sign_up_form: Form,
    ) -> None:
        """Of several accounts that wait for it at once. The others are gone, and who followed them hears of it."""
        forms = [{**sign_up_form, "username": f"{sign_up_form['username']}_{number}"} for number in range(4)]
        for form in forms:
            assert (await committed_client.post("/profiles", json=form)).status_code == 201
        async with committed_database.transaction() as session:
            ids = (await session.scalars(select(Confirmation.id))).all()
        tokens = [committed_app.state.confirmation_signer.derive_token(confirmation_id) for confirmation_id in ids]
        answers = await asyncio.gather(
            *(committed_client.post("/profiles/confirmations", json={"token": token}) for token in tokens)
        )
        assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400]
        assert await count_rows(committed_database, Profile) == 1
        types = await list_event_types(committed_database)
        assert (types.count("user.confirmed"), types.count("user.deleted")) == (1, 3)


class FormReader(HTMLParser):
    """What pressing the button of a page sends, and where."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.form: dict[str, str | None] = {}
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.form = attributes
        if tag == "input":
            self.fields[attributes["name"] or ""] = attributes["value"] or ""


class TestShowConfirmation:
    async def test_looking_burns_nothing(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, token: str
    ) -> None:
        looks = [await client.get("/auth/confirmation", params={"token": token}) for _ in range(3)]
        assert [look.status_code for look in looks] == [200, 200, 200]
        assert not await is_confirmed(database)
        reader = FormReader(looks[-1].text)
        assert (reader.form["method"], reader.form["action"], reader.fields) == (
            "post",
            "confirmation",
            {"token": token},
        )

    async def test_style_is_allowed_by_its_digest_and_nothing_else(self, client: httpx.AsyncClient, token: str) -> None:
        response = await client.get("/auth/confirmation", params={"token": token})
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        style = re.search(r"<style>(.*?)</style>", response.text, re.DOTALL)
        assert style
        assert compute_style_digest(style[1]) in policy
        assert "<script" not in response.text
        assert " style=" not in response.text

    @pytest.mark.parametrize("token", ["", "half-a-tok", '"><script>alert(1)</script>'])
    async def test_broken_link_is_told_in_words(self, client: httpx.AsyncClient, token: str) -> None:
        response = await client.get("/auth/confirmation", params={"token": token})
        assert response.status_code == 200
        assert "This link is not valid" in response.text
        assert "<form" not in response.text
        assert "<script" not in response.text


def compute_style_digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


class TestSubmitConfirmation:
    async def test_valid(self, client: httpx.AsyncClient, database: RolledBackDatabase, token: str) -> None:
        response = await client.post("/auth/confirmation", data={"token": token})
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "is confirmed" in response.text
        assert await is_confirmed(database)

    @pytest.mark.parametrize("form", [{"token": "A" * 43}, {"token": "x"}, {}, {"token": "\x00"}])
    async def test_invalid(self, client: httpx.AsyncClient, form: Form) -> None:
        response = await client.post("/auth/confirmation", data=form)
        assert response.status_code in {400, 422}

    async def test_second_click_is_told_in_words(self, client: httpx.AsyncClient, token: str) -> None:
        await client.post("/auth/confirmation", data={"token": token})
        again = await client.post("/auth/confirmation", data={"token": token})
        assert again.status_code == 400
        assert "simply log in" in again.text


class TestGetConfirmation:
    """`GET /internal/confirmations/{confirmation_id}`, for the mail."""

    @pytest.fixture
    async def headers(self, app: FastAPI, act_as_service: ActAsService) -> dict[str, str]:
        return await act_as_service(app, "notifications", "confirmations:read")

    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get(f"/internal/confirmations/{uuid4()}")).status_code == 401

    async def test_forbidden(self, app: FastAPI, client: httpx.AsyncClient, act_as_service: ActAsService) -> None:
        headers = await act_as_service(app, "posts", "events:read")
        response = await client.get(f"/internal/confirmations/{uuid4()}", headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")

    async def test_not_found(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        response = await client.get(f"/internal/confirmations/{uuid4()}", headers=headers)
        assert (response.status_code, response.json()["code"]) == (404, "confirmation_not_found")

    async def test_valid_on_every_call_while_it_is_open(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: dict[str, str], token: str
    ) -> None:
        confirmation_id: UUID = (await read_confirmation(database)).id
        path = f"/internal/confirmations/{confirmation_id}"
        answers = [await client.get(path, headers=headers) for _ in range(2)]
        assert [answer.json()["token"] for answer in answers] == [token, token]
        assert answers[0].json()["expires_at"].endswith("Z")
        await client.post("/profiles/confirmations", json={"token": token})
        assert (await client.get(path, headers=headers)).status_code == 404


class TestPruning:
    @pytest.mark.parametrize(("hours", "status", "rows"), [(23, 409, (1, 1)), (25, 201, (0, 0))])
    async def test_goes_a_day_after_its_end_with_whom_it_was_sent_to(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        token: str,
        sign_up_form: Form,
        hours: int,
        status: int,
        rows: tuple[int, int],
    ) -> None:
        """Address and username are free again."""
        assert token
        await expire(database, hours)
        await prune_all(database)
        assert (await count_rows(database, Confirmation), await count_rows(database, Profile)) == rows
        assert (await client.post("/profiles", json=sign_up_form)).status_code == status

    async def test_whoever_confirmed_stays(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, token: str
    ) -> None:
        await client.post("/profiles/confirmations", json={"token": token})
        await expire(database, 25)
        await prune_all(database)
        assert (await count_rows(database, Confirmation), await count_rows(database, Profile)) == (0, 1)
        assert await is_confirmed(database)

    @pytest.mark.usefixtures("token")
    async def test_whoever_has_another_chance_stays(self, app: FastAPI, database: RolledBackDatabase) -> None:
        await expire(database, 25)
        async with database.transaction() as session:
            profile_id = (await session.scalars(select(Profile.id))).one()
            await create_confirmation(session, app.state.confirmation_signer, profile_id)
        await prune_all(database)
        assert (await count_rows(database, Confirmation), await count_rows(database, Profile)) == (1, 1)
