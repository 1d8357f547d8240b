"""A passkey beside the password: asked for by every login, from the first one on."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.passkeys.models import Passkey
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.testing.authenticator import SoftAuthenticator
from chassis.testing.databases import RolledBackDatabase

Json = dict[str, Any]
Headers = dict[str, str]
Begin = Callable[..., Awaitable[Json]]
Answer = Callable[..., Awaitable[httpx.Response]]
Login = Callable[..., Awaitable[Headers]]
CreateProfile = Callable[..., Awaitable[Profile]]

GRANT = "urn:broadsheet:params:oauth:grant-type:mfa"


@pytest.fixture
def email(profile: Profile) -> str:
    return f"{profile.username}@people.example"


@pytest.fixture
async def added(
    client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, add_passkey: Answer
) -> Json:
    """What came with the first passkey."""
    created: Json = (await add_passkey(client, headers, authenticator, name="Key")).json()
    return created


@pytest.fixture
async def authenticator_of_owner(added: Json, authenticator: SoftAuthenticator) -> SoftAuthenticator:
    assert added["id"]
    return authenticator


@pytest.fixture
def start(request_token: Answer) -> Callable[..., Awaitable[Json]]:
    """The password; what the second step needs of its answer."""

    async def log_in(client: httpx.AsyncClient, email: str) -> Json:
        answer = await request_token(client, username=email, delivery="body")
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (403, "mfa_required")
        assert problem["methods"] == ["passkey", "recovery_code"]
        return {"mfa_token": problem["mfa_token"], "device_token": problem["device_token"]}

    return log_in


@pytest.fixture
def finish(show: Answer) -> Answer:
    """The second step."""

    async def send(client: httpx.AsyncClient, begun: Json, assertion: Json) -> httpx.Response:
        return await show(client, assertion, grant_type=GRANT, **begun)

    return send


class TestCreateToken:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        email: str,
        authenticator_of_owner: SoftAuthenticator,
        begin: Begin,
        start: Begin,
        finish: Answer,
    ) -> None:
        begun = await start(client, email)
        response = await finish(client, begun, authenticator_of_owner.get(await begin(client)))
        assert response.status_code == 200
        claims = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
        assert (claims["amr"], claims["acr"]) == (["pwd", "pop", "user", "mfa"], "aal2")
        again = await finish(client, begun, authenticator_of_owner.get(await begin(client)))
        assert (again.status_code, again.json()["code"]) == (401, "mfa_token_invalid")

    async def test_of_somebody_else(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        email: str,
        authenticator_of_owner: SoftAuthenticator,
        create_profile: CreateProfile,
        login: Login,
        add_passkey: Answer,
        begin: Begin,
        start: Begin,
        finish: Answer,
    ) -> None:
        """Refused, and the owner may try again with their own."""
        stranger = SoftAuthenticator(authenticator_of_owner.origin)
        await add_passkey(client, await login(app, await create_profile(database)), stranger)
        begun = await start(client, email)
        wrong = await finish(client, begun, stranger.get(await begin(client)))
        assert (wrong.status_code, wrong.json()["code"]) == (403, "second_factor_wrong")
        assert (await finish(client, begun, authenticator_of_owner.get(await begin(client)))).status_code == 200

    async def test_replayed(
        self,
        client: httpx.AsyncClient,
        email: str,
        authenticator_of_owner: SoftAuthenticator,
        begin: Begin,
        start: Begin,
        finish: Answer,
    ) -> None:
        assertion = authenticator_of_owner.get(await begin(client))
        statuses = [(await finish(client, await start(client, email), assertion)).status_code for _ in range(2)]
        assert statuses == [200, 403]

    async def test_recovery_code_in_its_place(
        self, client: httpx.AsyncClient, email: str, added: Json, start: Begin, request_token: Answer
    ) -> None:
        begun = await start(client, email)
        form = {"grant_type": GRANT, "code": added["recovery_codes"][0], "delivery": "body"} | begun
        assert (await request_token(client, **form)).status_code == 200

    @pytest.mark.parametrize("form", [{}, {"assertion": "{}"}, {"assertion": json.dumps({"id": "A"})}])
    async def test_malformed(
        self, client: httpx.AsyncClient, email: str, added: Json, start: Begin, request_token: Answer, form: Json
    ) -> None:
        assert added["id"]
        response = await request_token(client, grant_type=GRANT, **await start(client, email), **form)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


class TestFactor:
    async def test_recovery_codes_come_with_the_first(
        self, client: httpx.AsyncClient, headers: Headers, added: Json, authenticator: SoftAuthenticator,
        add_passkey: Answer,
    ) -> None:  # fmt: skip
        assert len(added["recovery_codes"]) == 10
        second = await add_passkey(client, headers, SoftAuthenticator(authenticator.origin))
        assert (second.status_code, second.json()["recovery_codes"]) == (201, [])
        listed = (await client.get("/auth/mfa", headers=headers)).json()
        assert [(factor["method"], factor["name"]) for factor in listed["factors"]] == [
            ("passkey", "Key"),
            ("passkey", None),
        ]

    async def test_password_alone_changes_none(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        profile: Profile,
        headers: Headers,
        authenticator: SoftAuthenticator,
        login: Login,
        add_passkey: Answer,
    ) -> None:
        """Of a session that began before there was one."""
        former = await login(app, profile)
        created = (await add_passkey(client, headers, authenticator)).json()
        answers = [
            await client.post("/auth/passkeys/registration/options", headers=former),
            await client.delete(f"/auth/passkeys/{created['id']}", headers=former),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, "login_too_old")] * 2

    @pytest.mark.parametrize("path", ["/auth/passkeys/{id}", "/auth/mfa/factors/{id}"])
    async def test_password_is_enough_once_the_last_is_gone(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        email: str,
        headers: Headers,
        added: Json,
        authenticator: SoftAuthenticator,
        begin: Begin,
        show: Answer,
        request_token: Answer,
        path: str,
    ) -> None:
        assertion = authenticator.get(await begin(client))
        assert (await client.delete(path.format(id=added["id"]), headers=headers)).status_code == 204
        assert (await request_token(client, username=email)).status_code == 200
        assert (await show(client, assertion)).json()["code"] == "passkey_refused"
        async with database.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(Passkey))).one() == 0


class TestAtOnce:
    async def test_one_login(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
        add_passkey: Answer,
        begin: Begin,
        start: Begin,
        finish: Answer,
    ) -> None:
        """Several right answers, each to a challenge of its own: the password was checked for one login."""
        profile = await create_profile(committed_database)
        authenticator = SoftAuthenticator("https://broadsheet.example", is_synced=True)
        await add_passkey(committed_client, await login(committed_app, profile), authenticator)
        begun = await start(committed_client, f"{profile.username}@people.example")
        assertions = [authenticator.get(await begin(committed_client)) for _ in range(5)]
        answers = await asyncio.gather(*(finish(committed_client, begun, assertion) for assertion in assertions))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 4

    async def test_removed_during_a_login(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
        add_passkey: Answer,
        begin: Begin,
        show: Answer,
    ) -> None:
        """One comes first, and neither waits for the other for ever."""
        for _ in range(5):
            headers = await login(committed_app, await create_profile(committed_database), acr="aal2")
            authenticator = SoftAuthenticator("https://broadsheet.example")
            created = (await add_passkey(committed_client, headers, authenticator)).json()
            assertion = authenticator.get(await begin(committed_client))
            removed, shown = await asyncio.gather(
                committed_client.delete(f"/auth/passkeys/{created['id']}", headers=headers),
                show(committed_client, assertion),
            )
            assert removed.status_code == 204
            assert shown.status_code in {200, 401}
