"""The end of an account: who may, what it ends, and what else may happen at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.accounts.constants import ROLE_SCOPES, Role
from auth.accounts.models import Account
from auth.audit.models import AuditEntry
from auth.audit.service import verify_chain
from auth.background import chain_audit
from auth.confirmations.constants import Purpose
from auth.confirmations.models import Confirmation
from auth.confirmations.service import create_confirmation
from auth.profiles.models import Profile
from auth.recovery.service import handle_requests, request_mail
from auth.sessions.models import LoginSession, SessionRevocation
from auth.sessions.service import OpenSession
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

CreateProfile = Callable[..., Awaitable[Profile]]
Login = Callable[..., Awaitable[dict[str, str]]]
Headers = dict[str, str]
RequestToken = Callable[..., Awaitable[httpx.Response]]
PATH = "/profiles/me"


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: CreateProfile) -> Profile:
    return await create_profile(database, username="Mina_7")


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Login) -> Headers:
    return await login(app, profile)


async def make_admin(database: Database, *profiles: Profile) -> None:
    ids = [profile.id for profile in profiles]
    async with database.transaction() as session:
        await session.execute(update(Account).where(Account.profile_id.in_(ids)).values(roles=["admin"]))


async def list_events(database: Database) -> list[tuple[str, Any]]:
    """Type, and kind of notice."""
    query = select(OutboxEvent.type, OutboxEvent.payload["kind"].astext).order_by(OutboxEvent.id)
    async with database.transaction() as session:
        return [(kind, notice) for kind, notice in await session.execute(query)]


async def count(database: Database, model: type[Any]) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(model))).one()


class TestDeleteOwnProfile:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.delete(PATH)
        assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    async def test_login_too_old(
        self, app: FastAPI, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, login: Login
    ) -> None:
        old = await login(app, profile, authenticated_at=datetime.now(UTC) - timedelta(minutes=11))
        response = await client.delete(PATH, headers=old)
        assert (response.status_code, response.json()["code"]) == (401, "login_too_old")
        assert await count(database, Profile) == 1

    async def test_app_of_somebody_else(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login
    ) -> None:
        response = await client.delete(PATH, headers=await login(app, profile, client_id="their-app"))
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")

    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        headers: Headers,
        request_token: RequestToken,
    ) -> None:
        response = await client.delete(PATH, headers=headers)
        assert response.status_code == 204
        assert "__Host-refresh_token=" in response.headers["Set-Cookie"]
        assert "Max-Age=0" in response.headers["Set-Cookie"]
        for path in (PATH, f"/profiles/{profile.id}", "/profiles/by-username/Mina_7"):
            assert (await client.get(path, headers=headers)).status_code == 404
        refused = await request_token(client, username="mina_7@people.example")
        assert (refused.status_code, refused.json()["code"]) == (401, "credentials_invalid")
        # The notice first: after the other one nobody knows the address any more.
        assert await list_events(database) == [("security.noticed", "account_deleted"), ("user.deleted", None)]
        async with database.transaction() as session:
            seqs = (await session.scalars(select(OutboxEvent.aggregate_seq).order_by(OutboxEvent.id))).all()
            ended = await session.scalar(select(func.count()).select_from(SessionRevocation))
        assert seqs[0] < seqs[1]
        assert ended == 1

    async def test_twice(self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers) -> None:
        assert (await client.delete(PATH, headers=headers)).status_code == 204
        again = await client.delete(PATH, headers=headers)
        assert (again.status_code, again.json()["code"]) == (404, "profile_not_found")
        assert len(await list_events(database)) == 2

    async def test_what_a_token_of_before_can_still_ask_for(self, client: httpx.AsyncClient, headers: Headers) -> None:
        """For a second at most; no answer is a fault of ours."""
        await client.delete(PATH, headers=headers)
        attempts = [
            ("POST", "/auth/email-changes", {"email": "other@people.example"}, 409),
            ("PATCH", PATH, {"first_name": "Nina"}, 404),
            ("POST", "/auth/exports", None, 404),
            ("POST", "/auth/step-up", {"password": "x"}, 403),
            ("GET", "/auth/sessions", None, 200),
        ]
        for method, path, body, status in attempts:
            response = await client.request(method, path, json=body, headers=headers)
            assert response.status_code == status, (path, response.text)

    async def test_conflict_of_the_last_admin(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        headers: Headers,
        create_profile: CreateProfile,
    ) -> None:
        await make_admin(database, profile)
        response = await client.delete(PATH, headers=headers)
        assert (response.status_code, response.json()["code"]) == (409, "last_admin")
        assert await list_events(database) == []
        await make_admin(database, await create_profile(database))
        assert (await client.delete(PATH, headers=headers)).status_code == 204

    async def test_audit_chain_holds(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        profile = await create_profile(committed_database)
        headers = await login(committed_app, profile)
        await committed_client.patch(PATH, json={"username": "somebody_else"}, headers=headers)
        await committed_client.delete(PATH, headers=headers)
        await chain_audit(committed_database)
        assert await verify_chain(committed_database) == (2, None)
        async with committed_database.transaction() as session:
            entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
        assert [entry.action for entry in entries] == ["username_changed", "account_deleted"]
        assert entries[-1].subject_id == entries[-1].actor_id == profile.id


class TestUsernames:
    async def test_none_that_one_had_is_given_again(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        headers: Headers,
        create_profile: CreateProfile,
        login: Login,
        sign_up_form: dict[str, str],
    ) -> None:
        await client.patch(PATH, json={"username": "Later_Name"}, headers=headers)
        await client.delete(PATH, headers=headers)
        other = await login(app, await create_profile(database))
        for name in ("mina_7", "MINA_7", "later_name"):
            signed_up = await client.post("/profiles", json=sign_up_form | {"username": name})
            renamed = await client.patch(PATH, json={"username": name}, headers=other)
            for response in (signed_up, renamed):
                assert (response.status_code, response.json()["code"]) == (409, "username_taken")

    async def test_race_with_who_waits_for_the_name(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
        sign_up_form: dict[str, str],
    ) -> None:
        headers = await login(committed_app, await create_profile(committed_database, username="wanted"))
        signing_up = [committed_client.post("/profiles", json=sign_up_form | {"username": "Wanted"}) for _ in range(5)]
        deleted, *answers = await asyncio.gather(committed_client.delete(PATH, headers=headers), *signing_up)
        assert deleted.status_code == 204
        assert {answer.status_code for answer in answers} == {409}


class TestDeleteUser:
    @pytest.fixture
    async def admin(
        self, app: FastAPI, database: RolledBackDatabase, create_profile: CreateProfile, login: Login
    ) -> Headers:
        return await login(app, await create_profile(database), scope=" ".join(ROLE_SCOPES[Role.ADMIN]))

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile, admin: Headers
    ) -> None:
        """Who may is tested with the other acts of staff."""
        path = f"/admin/users/{profile.id}/deletion"
        assert (await client.post(path, json={"reason": ""}, headers=admin)).status_code == 422
        assert (await client.post(path, json={"reason": "court order 7"}, headers=admin)).status_code == 204
        assert (await client.get(f"/admin/users/{profile.id}", headers=admin)).status_code == 404
        assert await list_events(database) == [("security.noticed", "account_removed"), ("user.deleted", None)]
        async with database.transaction() as session:
            [entry] = await session.scalars(select(AuditEntry).filter_by(action="account_deleted"))
        assert (entry.subject_id, entry.details) == (profile.id, {"reason": "court order 7"})
        assert entry.actor_id not in (None, profile.id)

    async def test_who_never_confirmed_gets_no_mail_and_keeps_no_name(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        admin: Headers,
        sign_up_form: dict[str, str],
    ) -> None:
        stranger = await create_profile(database, confirmed=False, username="never_there")
        path = f"/admin/users/{stranger.id}/deletion"
        assert (await client.post(path, json={"reason": "spam"}, headers=admin)).status_code == 204
        assert await list_events(database) == [("user.deleted", None)]
        signed_up = await client.post("/profiles", json=sign_up_form | {"username": "never_there"})
        assert signed_up.status_code == 201


class TestRaces:
    @pytest.fixture
    async def mina(self, committed_database: Database, create_profile: CreateProfile) -> Profile:
        return await create_profile(committed_database)

    async def test_ten_at_once_are_one(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        mina: Profile,
        login: Login,
    ) -> None:
        headers = await login(committed_app, mina)
        answers = await asyncio.gather(*(committed_client.delete(PATH, headers=headers) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [204] + [404] * 9
        assert len(await list_events(committed_database)) == 2

    async def test_while_refreshes_and_logins_are_under_way(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        mina: Profile,
        login: Login,
        open_session: Callable[..., Awaitable[OpenSession]],
        request_token: RequestToken,
    ) -> None:
        """Whatever they were answered, nothing that they got lives on."""
        headers, opened = await login(committed_app, mina), await open_session(committed_app, mina)
        email = f"{mina.username}@people.example"

        def refresh(token: str) -> Awaitable[httpx.Response]:
            return request_token(committed_client, grant_type="refresh_token", refresh_token=token)

        calls = [refresh(opened.refresh_token) for _ in range(6)]
        calls += [request_token(committed_client, username=email, delivery="body") for _ in range(4)]
        calls.insert(5, committed_client.delete(PATH, headers=headers))
        answers = await asyncio.gather(*calls)
        assert answers.pop(5).status_code == 204
        assert {answer.status_code for answer in answers} <= {200, 401, 409}
        for answer in answers:
            if answer.status_code == 200:
                late = await refresh(answer.json()["refresh_token"])
                assert (late.status_code, late.json()["error"]) == (401, "invalid_grant")
        for model in (Profile, Account, LoginSession):
            assert await count(committed_database, model) == 0

    async def test_while_a_password_is_reset(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        mina: Profile,
        login: Login,
        request_token: RequestToken,
    ) -> None:
        """Either may be first: the link is used or void, and nobody gets in by the new password."""
        headers, signer = await login(committed_app, mina), committed_app.state.confirmation_signer
        async with committed_database.transaction() as session:
            confirmation_id = await create_confirmation(session, signer, mina.id, Purpose.PASSWORD_RESET)
        body = {"token": signer.derive_token(confirmation_id), "password": "Staple-Zebra-9-Lantern"}
        reset, deleted = await asyncio.gather(
            committed_client.put("/auth/password-resets", json=body), committed_client.delete(PATH, headers=headers)
        )
        assert deleted.status_code == 204
        assert reset.status_code in {204, 400}
        email = f"{mina.username}@people.example"
        refused = await request_token(committed_client, username=email, password=body["password"])
        assert (refused.status_code, refused.json()["code"]) == (401, "credentials_invalid")
        assert (await list_events(committed_database))[-1] == ("user.deleted", None)
        for model in (Profile, Account, Confirmation):
            assert await count(committed_database, model) == 0

    async def test_while_mails_are_asked_for(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        mina: Profile,
        login: Login,
    ) -> None:
        """The background process neither stumbles over it nor writes to somebody who is gone."""
        headers = await login(committed_app, mina)
        async with committed_database.transaction() as session:
            await request_mail(session, f"{mina.username}@people.example", Purpose.PASSWORD_RESET)

        async def write_mails() -> None:
            async with committed_database.transaction() as session:
                await handle_requests(session, committed_app.state.confirmation_signer)

        deleted, _ = await asyncio.gather(committed_client.delete(PATH, headers=headers), write_mails())
        assert deleted.status_code == 204
        kinds = [kind for kind, _ in await list_events(committed_database)]
        assert kinds[-2:] == ["security.noticed", "user.deleted"]
