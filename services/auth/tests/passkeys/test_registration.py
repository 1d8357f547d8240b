"""Adding, seeing, naming and removing one's own passkeys."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import cbor2
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.mfa.constants import MAX_FACTORS, Method
from auth.mfa.models import Factor
from auth.passkeys.models import Passkey, PasskeyChallenge
from auth.passkeys.schemas import PasskeyAdded, PasskeyRead, RegistrationOptionsRead
from auth.passkeys.service import delete_expired_challenges
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.pagination import Page
from chassis.testing.authenticator import Algorithm, SoftAuthenticator, decode, encode
from chassis.testing.databases import RolledBackDatabase

Json = dict[str, Any]
Headers = dict[str, str]
Login = Callable[..., Awaitable[Headers]]
Begin = Callable[..., Awaitable[Json]]
Add = Callable[..., Awaitable[httpx.Response]]
CreateProfile = Callable[..., Awaitable[Profile]]
List = Callable[[Database], Awaitable[Any]]

PATH = "/auth/passkeys"


async def count_passkeys(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(Passkey))).one()


@pytest.fixture
async def passkey(
    client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, add_passkey: Add
) -> Json:
    """One that is there already."""
    answer = await add_passkey(client, headers, authenticator, name="My phone")
    assert answer.status_code == 201
    created: Json = answer.json()
    return created


class TestCreateRegistrationOptions:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post(f"{PATH}/registration/options")).status_code == 401

    async def test_valid(self, client: httpx.AsyncClient, profile: Profile, headers: Headers) -> None:
        response = await client.post(f"{PATH}/registration/options", headers=headers)
        assert response.status_code == 200
        options = RegistrationOptionsRead.model_validate_json(response.content)
        assert (options.rp.id, options.rp.name) == ("broadsheet.example", "Broadsheet")
        assert decode(options.user.id) == profile.id.bytes
        assert (options.user.name, options.user.display_name) == (
            f"{profile.username}@people.example",
            profile.username,
        )
        assert len(decode(options.challenge)) == 32
        assert {parameter.alg for parameter in options.parameters} >= {-7, -8}
        assert options.excluded == []

    async def test_names_those_that_are_there(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, add_passkey: Add
    ) -> None:
        """So that no device is asked to keep a second one."""
        await add_passkey(client, headers, authenticator)
        with pytest.raises(ValueError, match="InvalidStateError"):
            await add_passkey(client, headers, authenticator)

    async def test_login_is_too_old(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        profile: Profile,
        login_of_old: Callable[..., Awaitable[Headers]],
    ) -> None:
        headers = await login_of_old(app, profile)
        for path in (f"{PATH}/registration/options", PATH):
            response = await client.post(path, json={}, headers=headers)
            assert (response.status_code, response.json()["code"]) == (401, "login_too_old")

    async def test_app_of_somebody_else(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login
    ) -> None:
        headers = await login(app, profile, client_id="reader-app", scope="posts:read")
        response = await client.post(f"{PATH}/registration/options", headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


class TestCreatePasskey:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post(PATH, json={})).status_code == 401

    @pytest.mark.parametrize("algorithm", list(Algorithm))
    @pytest.mark.parametrize("is_synced", [True, False])
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        add_passkey: Add,
        list_notices: List,
        list_entries: List,
        algorithm: Algorithm,
        is_synced: bool,
    ) -> None:
        authenticator = SoftAuthenticator("https://broadsheet.example", algorithm, is_synced)
        response = await add_passkey(client, headers, authenticator, name=" My phone ")
        assert response.status_code == 201
        created = PasskeyAdded.model_validate_json(response.content)
        assert (created.name, created.is_synced) == ("My phone", is_synced)
        assert len(created.recovery_codes) == 10
        [listed] = Page[PasskeyRead].model_validate_json((await client.get(PATH, headers=headers)).content).items
        assert listed.model_dump() == created.model_dump(exclude={"recovery_codes"})
        assert await list_notices(database) == ["second_factor_added"]
        assert ("factor_added", True) in await list_entries(database)

    async def test_conflict(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        passkey: Json,
        authenticator: SoftAuthenticator,
        create_profile: CreateProfile,
        login: Login,
        begin: Begin,
    ) -> None:
        """One that somebody has, also somebody else."""
        assert passkey["name"] == "My phone"
        [former] = authenticator.credentials
        other = await login(app, await create_profile(database))
        created = authenticator.create(await begin(client, other))
        newest = authenticator.credentials[-1]
        copied = replace_in_attestation(created, newest.id, former.id)
        response = await client.post(PATH, json={"credential": copied}, headers=other)
        assert (response.status_code, response.json()["code"]) == (409, "passkey_taken")

    async def test_challenge_works_once(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, begin: Begin
    ) -> None:
        options = await begin(client, headers)
        credentials = [authenticator.create(options), authenticator.create(options)]
        answers = [await client.post(PATH, json={"credential": item}, headers=headers) for item in credentials]
        assert [answer.status_code for answer in answers] == [201, 400]
        assert answers[1].json()["code"] == "passkey_invalid"

    async def test_expired_challenge(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        authenticator: SoftAuthenticator,
        begin: Begin,
        let_challenges_expire: Callable[[Database], Awaitable[None]],
    ) -> None:
        credential = authenticator.create(await begin(client, headers))
        await let_challenges_expire(database)
        response = await client.post(PATH, json={"credential": credential}, headers=headers)
        assert (response.status_code, response.json()["code"]) == (400, "passkey_invalid")

    async def test_challenge_of_somebody_else(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        authenticator: SoftAuthenticator,
        create_profile: CreateProfile,
        login: Login,
        begin: Begin,
    ) -> None:
        """Nobody gets a stranger's passkey into their account, or theirs into a stranger's."""
        credential = authenticator.create(await begin(client, headers))
        other = await login(app, await create_profile(database))
        response = await client.post(PATH, json={"credential": credential}, headers=other)
        assert (response.status_code, response.json()["code"]) == (400, "passkey_invalid")
        response = await client.post(PATH, json={"credential": credential}, headers=headers)
        assert response.status_code == 201

    async def test_challenge_of_a_login(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, begin: Begin
    ) -> None:
        options = await begin(client, headers) | {"challenge": (await begin(client))["challenge"]}
        body = {"credential": authenticator.create(options)}
        assert (await client.post(PATH, json=body, headers=headers)).json()["code"] == "passkey_invalid"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("origin", "https://broadsheet.example.evil.example"),
            ("origin", "http://broadsheet.example"),
            ("origin", "https://broadsheet.example:8443"),
            ("rp_id", "evil.example"),
            ("verifies_user", False),
            ("is_in_frame", True),
        ],
    )
    async def test_wrong(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        authenticator: SoftAuthenticator,
        add_passkey: Add,
        field: str,
        value: object,
    ) -> None:
        setattr(authenticator, field, value)
        response = await add_passkey(client, headers, authenticator)
        assert (response.status_code, response.json()["code"]) == (400, "passkey_invalid")
        assert await count_passkeys(database) == 0
        async with database.transaction() as session:
            left = (await session.scalars(select(func.count()).select_from(PasskeyChallenge))).one()
        assert left == (1 if field == "is_in_frame" else 0)

    async def test_attestation_that_nobody_asked_for(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, begin: Begin
    ) -> None:
        credential = authenticator.create(await begin(client, headers))
        attestation = cbor2.loads(decode(credential["response"]["attestationObject"]))
        statement = {"ver": "2.0", "alg": -257, "x5c": [b"certificate"], "sig": b"x", "certInfo": b"x", "pubArea": b"x"}
        forged = cbor2.dumps(attestation | {"fmt": "tpm", "attStmt": statement})
        credential["response"]["attestationObject"] = encode(forged)
        response = await client.post(PATH, json={"credential": credential}, headers=headers)
        assert (response.status_code, response.json()["code"]) == (400, "passkey_invalid")

    @pytest.mark.parametrize(
        "change",
        [
            {"credential": None},
            {"credential": {}},
            {"credential": {"id": "AA", "rawId": "AA", "type": "password", "response": {}}},
            {"name": "x" * 101},
            {"name": "a\nb"},
            {"more": 1},
        ],
    )
    async def test_malformed(
        self, client: httpx.AsyncClient, headers: Headers, authenticator: SoftAuthenticator, begin: Begin, change: Json
    ) -> None:
        body = {"credential": authenticator.create(await begin(client, headers))} | change
        assert (await client.post(PATH, json=body, headers=headers)).status_code == 422

    async def test_too_many(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        headers: Headers,
        authenticator: SoftAuthenticator,
        add_passkey: Add,
    ) -> None:
        async with database.transaction() as session:
            session.add_all(Factor(profile_id=profile.id, method=Method.PASSKEY) for _ in range(MAX_FACTORS))
        response = await add_passkey(client, headers, authenticator)
        assert (response.status_code, response.json()["code"]) == (409, "factors_too_many")

    async def test_same_one_twice_at_once(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        authenticator: SoftAuthenticator,
        create_profile: CreateProfile,
        login: Login,
        begin: Begin,
    ) -> None:
        """With two challenges, of which each is good."""
        headers = await login(committed_app, await create_profile(committed_database), acr="aal2")
        bodies = []
        for _ in range(2):
            created = authenticator.create(await begin(committed_client, headers))
            bodies.append(replace_in_attestation(created, authenticator.credentials[-1].id, b"the same" * 4))
        posts = (committed_client.post(PATH, json={"credential": body}, headers=headers) for body in bodies)
        answers = await asyncio.gather(*posts)
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert await count_passkeys(committed_database) == 1


class TestUpdatePasskey:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.patch(f"{PATH}/{uuid4()}", json={"name": "x"})).status_code == 401

    @pytest.mark.parametrize("name", ["Küche", None])
    async def test_valid(self, client: httpx.AsyncClient, headers: Headers, passkey: Json, name: str | None) -> None:
        response = await client.patch(f"{PATH}/{passkey['id']}", json={"name": name}, headers=headers)
        assert response.status_code == 204
        assert (await client.get(PATH, headers=headers)).json()["items"][0]["name"] == name

    async def test_not_found(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        passkey: Json,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        """Also for one of somebody else, in the list as well."""
        other = await login(app, await create_profile(database))
        response = await client.patch(f"{PATH}/{passkey['id']}", json={"name": "x"}, headers=other)
        assert (response.status_code, response.json()["code"]) == (404, "passkey_not_found")
        assert (await client.get(PATH, headers=other)).json()["items"] == []


class TestDeletePasskey:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.delete(f"{PATH}/{uuid4()}")).status_code == 401

    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        passkey: Json,
        list_notices: List,
        list_entries: List,
    ) -> None:
        assert (await client.delete(f"{PATH}/{passkey['id']}", headers=headers)).status_code == 204
        assert (await client.get(PATH, headers=headers)).json()["items"] == []
        assert await list_notices(database) == ["second_factor_added", "second_factor_removed"]
        assert ("factor_removed", True) in await list_entries(database)
        assert (await client.delete(f"{PATH}/{passkey['id']}", headers=headers)).status_code == 404

    async def test_not_found(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        passkey: Json,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        other = await login(app, await create_profile(database))
        response = await client.delete(f"{PATH}/{passkey['id']}", headers=other)
        assert (response.status_code, response.json()["code"]) == (404, "passkey_not_found")
        assert await count_passkeys(database) == 1

    async def test_login_is_too_old(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        profile: Profile,
        passkey: Json,
        login_of_old: Callable[..., Awaitable[Headers]],
    ) -> None:
        headers = await login_of_old(app, profile)
        response = await client.delete(f"{PATH}/{passkey['id']}", headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "login_too_old")


class TestPruning:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        begin: Begin,
        let_challenges_expire: Callable[[Database], Awaitable[None]],
    ) -> None:
        await begin(client, headers)
        await begin(client)
        await let_challenges_expire(database)
        await begin(client)
        async with database.transaction() as session:
            assert await delete_expired_challenges(session) == 2
            assert await delete_expired_challenges(session) == 0


def replace_in_attestation(credential: Json, old: bytes, new: bytes) -> Json:
    """The same answer of an authenticator, for another credential id."""
    attestation = cbor2.loads(decode(credential["response"]["attestationObject"]))
    attestation["authData"] = attestation["authData"].replace(old, new)
    response = credential["response"] | {"attestationObject": encode(cbor2.dumps(attestation))}
    return credential | {"id": encode(new), "rawId": encode(new), "response": response}
