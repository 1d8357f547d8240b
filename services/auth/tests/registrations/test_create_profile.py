"""`POST /profiles`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.accounts.models import Account
from auth.confirmations.models import Confirmation
from auth.limits.config import LimitsConfig
from auth.limits.service import RateLimiter
from auth.passwords.utils import PasswordHashing
from auth.profiles.models import Profile
from chassis.config import load_config
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.logs import configure_logging
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

Form = dict[str, str]
KeepHashingBusy = Callable[[FastAPI], AbstractContextManager[None]]


async def count_rows(database: Database, table: type[Profile | Account | Confirmation | OutboxEvent]) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(table))).one()


class TestCreateProfile:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, sign_up_form: Form, hashing: PasswordHashing
    ) -> None:
        sign_up_form["email"] = sign_up_form["email"].upper()
        response = await client.post("/profiles", json=sign_up_form)
        assert response.status_code == 201
        profile = response.json()
        assert profile["email"] == sign_up_form["email"].lower()
        assert (profile["is_confirmed"], profile["is_creator"]) == (False, False)
        assert "password" not in response.text
        async with database.transaction() as session:
            account = (await session.scalars(select(Account))).one()
        assert str(account.profile_id) == profile["id"]
        assert await hashing.verify_password(sign_up_form["password"], account.password_hash)

    async def test_event_and_confirmation_come_with_the_profile(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, sign_up_form: Form
    ) -> None:
        profile = (await client.post("/profiles", json=sign_up_form)).json()
        async with database.transaction() as session:
            event = (await session.scalars(select(OutboxEvent))).one()
            confirmation = (await session.scalars(select(Confirmation))).one()
        assert (event.type, str(event.aggregate_id), event.aggregate_seq) == ("user.registered", profile["id"], 1)
        names = {name: sign_up_form[name] for name in ("email", "username", "first_name", "last_name")}
        assert event.payload == {"user_id": profile["id"], "confirmation_id": str(confirmation.id), **names}
        assert (confirmation.expires_at - confirmation.created_at).total_seconds() == 24 * 3600

    async def test_conflict(self, client: httpx.AsyncClient, database: RolledBackDatabase, sign_up_form: Form) -> None:
        await client.post("/profiles", json=sign_up_form)
        other = {**sign_up_form, "email": "other@people.example", "username": sign_up_form["username"].upper()}
        response = await client.post("/profiles", json=other)
        assert (response.status_code, response.json()["code"]) == (409, "username_taken")
        assert await count_rows(database, Profile) == await count_rows(database, OutboxEvent) == 1

    async def test_conflict_of_two_at_once(
        self, committed_client: httpx.AsyncClient, committed_database: Database, sign_up_form: Form
    ) -> None:
        other = {**sign_up_form, "email": "other@people.example"}
        answers = await asyncio.gather(
            *(committed_client.post("/profiles", json=form) for form in (sign_up_form, other))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert "username_taken" in {answer.json().get("code") for answer in answers}
        for table in (Profile, Account, Confirmation, OutboxEvent):
            assert await count_rows(committed_database, table) == 1

    async def test_repeat_under_the_same_key_is_done_once(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, sign_up_form: Form
    ) -> None:
        key = {"Idempotency-Key": "6f1c3a52"}
        first = await client.post("/profiles", json=sign_up_form, headers=key)
        again = await client.post("/profiles", json=sign_up_form, headers=key)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert await count_rows(database, OutboxEvent) == 1
        other = await client.post("/profiles", json={**sign_up_form, "username": "another"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")

    async def test_busy_hashing_is_told_in_time(
        self, app: FastAPI, client: httpx.AsyncClient, sign_up_form: Form, keep_hashing_busy: KeepHashingBusy
    ) -> None:
        with keep_hashing_busy(app):
            response = await client.post("/profiles", json=sign_up_form)
        assert (response.status_code, response.json()["code"]) == (503, "hashing_busy")
        assert response.headers["Retry-After"] == "1"


class TestInput:
    @pytest.mark.parametrize(
        ("changes", "field", "code"),
        [
            ({"email": "nobody"}, "email", "value_error"),
            ({"email": "ü@people.example"}, "email", "value_error"),
            ({"email": f"{'x' * 250}@people.example"}, "email", None),
            ({"username": "ab"}, "username", "string_too_short"),
            ({"username": "a" * 31}, "username", "string_too_long"),
            ({"username": "with space"}, "username", "string_pattern_mismatch"),
            ({"username": "newline\n"}, "username", "string_pattern_mismatch"),
            ({"username": "Admin"}, "username", "username_reserved"),
            ({"first_name": "   "}, "first_name", "string_too_short"),
            ({"first_name": "A\r\nBcc: all@people.example"}, "first_name", "string_pattern_mismatch"),
            ({"last_name": "\u202egnp.exe"}, "last_name", "string_pattern_mismatch"),
            ({"last_name": "x" * 101}, "last_name", "string_too_long"),
            ({"password": "canary1"}, "password", "too_short"),
            ({"password": "canary-" * 20}, "password", "too_long"),
            ({"password": "xXxXxXxXxX"}, "password", "password_repetitive"),
            ({"password": "Password123"}, "password", "password_too_common"),
            ({"username": "canary", "password": "my-Canary-22"}, "password", "password_contains_username"),
            ({"email": "Canary@people.example", "password": "x-cAnary-22"}, "password", "password_contains_email"),
            ({"is_creator": True}, "is_creator", "extra_forbidden"),
        ],
    )
    async def test_field_and_rule_are_named(
        self, client: httpx.AsyncClient, sign_up_form: Form, changes: Form, field: str, code: str | None
    ) -> None:
        response = await client.post("/profiles", json=sign_up_form | changes)
        problem = response.json()
        assert (response.status_code, problem["code"]) == (422, "validation_failed")
        assert [error["field"] for error in problem["errors"]] == [f"body.{field}"]
        assert code in (None, problem["errors"][0]["code"])

    async def test_secrets_are_counted_in_characters(self, client: httpx.AsyncClient, sign_up_form: Form) -> None:
        response = await client.post("/profiles", json=sign_up_form | {"password": "canary1"})
        assert response.json()["errors"][0]["message"] == "Value should have at least 8 characters, not 7"

    @pytest.mark.parametrize(
        "changes", [{}, {"email": "nobody"}, {"username": ""}, {"nonsense": 1}, {"password": None}]
    )
    async def test_password_is_never_repeated(
        self, capsys: pytest.CaptureFixture[str], client: httpx.AsyncClient, sign_up_form: Form, changes: Form
    ) -> None:
        configure_logging()
        sign_up_form["password"] = "canary4"
        response = await client.post("/profiles", json=sign_up_form | changes)
        assert response.status_code == 422
        assert "canary4" not in response.text
        assert "canary4" not in "".join(capsys.readouterr())

    async def test_password_is_taken_to_the_letter(self, client: httpx.AsyncClient, sign_up_form: Form) -> None:
        sign_up_form["password"] = "  spaces at the ends  "
        assert (await client.post("/profiles", json=sign_up_form)).status_code == 201

    @pytest.mark.parametrize("body", [b"{", b"\xff", b'{"email": "a\\u0000b@people.example"}', b"[]", b'"x"'])
    async def test_broken_body(self, client: httpx.AsyncClient, body: bytes) -> None:
        response = await client.post("/profiles", content=body, headers={"Content-Type": "application/json"})
        assert response.status_code in {400, 422}
        assert response.headers["content-type"] == "application/problem+json"


class TestLogs:
    async def test_line_holds_nothing_of_a_person(
        self, capsys: pytest.CaptureFixture[str], client: httpx.AsyncClient, sign_up_form: Form
    ) -> None:
        configure_logging()  # to what pytest has put in the place of standard output by now
        await client.post("/profiles", json=sign_up_form)
        await client.post("/profiles", json=sign_up_form)
        output = capsys.readouterr().out
        lines = [json.loads(line) for line in output.splitlines()]
        assert [line["status"] for line in lines if line["event"] == "request"] == [201, 409]
        for canary in (sign_up_form["email"], sign_up_form["password"], sign_up_form["username"]):
            assert canary not in output


class TestAddressThatIsKnown:
    """Nobody learns from a sign-up who is registered."""

    @pytest.fixture
    async def owner(self, database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
        return await create_profile(database)

    @pytest.fixture
    def known_form(self, owner: Profile, sign_up_form: Form) -> Form:
        return {**sign_up_form, "email": f"{owner.username}@people.example"}

    async def test_answer_and_work_are_the_same(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, known_form: Form, sign_up_form: Form
    ) -> None:
        free_form = {**sign_up_form, "username": "somebody_else", "email": "nobody@people.example"}
        with record_statements(database) as statements:
            known = await client.post("/profiles", json=known_form)
        with record_statements(database) as others:
            free = await client.post("/profiles", json=free_form)
        assert statements == others
        assert (known.status_code, known.json().keys()) == (free.status_code, free.json().keys())
        assert known.json()["is_confirmed"] is False
        assert known.headers.keys() == free.headers.keys()
        for answer in (known, free):
            assert (await client.get(f"/profiles/{answer.json()['id']}")).status_code == 404

    async def test_owner_is_told_and_nobody_can_confirm(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, owner: Profile, known_form: Form
    ) -> None:
        await client.post("/profiles", json=known_form)
        async with database.transaction() as session:
            event = (await session.scalars(select(OutboxEvent))).one()
        assert event.type == "security.noticed"
        assert (event.payload["kind"], event.payload["user_id"]) == ("sign_up_repeated", str(owner.id))

    async def test_login_with_what_was_signed_up_with_tells_nothing(
        self,
        client: httpx.AsyncClient,
        sign_up_form: Form,
        owner: Profile,
        request_token: Callable[..., Awaitable[httpx.Response]],
    ) -> None:
        """The same refusal, whether the address has an owner who is not the caller, or nobody has confirmed it."""
        known = f"{owner.username}@people.example"
        answers = []
        for number, email in enumerate((known, "nobody-yet@people.example")):
            form = sign_up_form | {"email": email, "username": f"guesser_{number}", "password": "Guess-Quartz-5-Meadow"}
            assert (await client.post("/profiles", json=form)).status_code == 201
            answer = await request_token(client, username=email, password=form["password"])
            answers.append((answer.status_code, answer.json() | {"request_id": ""}, sorted(answer.headers)))
        assert answers[0] == answers[1]
        assert answers[0][0] == 401

    async def test_owner_goes_on_logging_in(
        self,
        client: httpx.AsyncClient,
        owner: Profile,
        known_form: Form,
        request_token: Callable[..., Awaitable[httpx.Response]],
    ) -> None:
        await client.post("/profiles", json={**known_form, "password": "Another-Horse-8-Battery"})
        response = await request_token(client, username=f"{owner.username}@people.example")
        assert response.status_code == 200


class TestMails:
    async def test_nobodys_mailbox_is_flooded(
        self, monkeypatch: pytest.MonkeyPatch, app: FastAPI, client: httpx.AsyncClient, sign_up_form: Form
    ) -> None:
        """Each sign-up sends one to an address that may be somebody else's."""
        monkeypatch.setenv("LIMITS_MAIL", "5/hour")
        load_config.cache_clear()
        app.state.rate_limiter = RateLimiter(load_config(LimitsConfig), b"of-the-limits", None, local_share=1)
        statuses = []
        for number in range(7):
            form = sign_up_form | {"username": f"flooder_{number}", "email": sign_up_form["email"].upper()}
            statuses.append((await client.post("/profiles", json=form)).status_code)
        assert statuses == [201] * 5 + [429] * 2
        # And its owner can still ask for another password.
        reset = await client.post("/auth/password-resets", json={"email": sign_up_form["email"]})
        assert reset.status_code == 202
