"""What staff may do to accounts, and who may not."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.accounts.constants import ROLE_SCOPES, Role
from auth.accounts.models import Account
from auth.admin.schemas import UserRead
from auth.admin.service import grant_role
from auth.audit.models import AuditEntry
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

CreateProfile = Callable[..., Awaitable[Profile]]
Login = Callable[..., Awaitable[dict[str, str]]]
Headers = dict[str, str]

ACTS = [
    ("POST", "/ban", {"reason": "spam"}, "users:ban"),
    ("POST", "/unban", {"reason": "appeal"}, "users:ban"),
    ("PUT", "/creator", None, "creators:grant"),
    ("DELETE", "/sessions", None, "sessions:end"),
    ("PUT", "/roles", {"roles": ["support"]}, "roles:grant"),
    ("POST", "/mfa-reset", {"reason": "showed their passport"}, "factors:reset"),
    ("POST", "/deletion", {"reason": "court order"}, "users:delete"),
]


@pytest.fixture
async def user(database: RolledBackDatabase, create_profile: CreateProfile) -> Profile:
    return await create_profile(database)


@pytest.fixture
def log_in_as(app: FastAPI, database: RolledBackDatabase, create_profile: CreateProfile, login: Login) -> Login:
    async def log_in(role: Role, **fields: object) -> Headers:
        return await login(app, await create_profile(database), scope=" ".join(ROLE_SCOPES[role]), **fields)

    return log_in


async def read_account(database: Database, profile: Profile) -> Account:
    async with database.transaction() as session:
        return await session.get_one(Account, profile.id, populate_existing=True)


async def list_actions(database: Database) -> list[str]:
    async with database.transaction() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def list_events(database: Database) -> list[str]:
    async with database.transaction() as session:
        return list(await session.scalars(select(OutboxEvent.type).order_by(OutboxEvent.id)))


async def act(
    client: httpx.AsyncClient, headers: Headers, user_id: UUID, method: str, path: str, body: object
) -> httpx.Response:
    return await client.request(method, f"/admin/users/{user_id}{path}", json=body, headers=headers)


class TestAllRoutes:
    def test_every_one_asks_for_a_scope(self, app: FastAPI) -> None:
        """A new one without it fails here."""
        document = app.openapi()
        paths = [path for path in document["paths"] if path.startswith("/admin")]
        assert len(paths) >= 7
        for path in paths:
            for method, operation in document["paths"][path].items():
                assert "403" in operation["responses"], (method, path)
                assert operation["security"] == [{"userToken": []}], (method, path)

    @pytest.mark.parametrize(("method", "path", "body", "scope"), ACTS)
    async def test_anonymous(
        self, client: httpx.AsyncClient, user: Profile, method: str, path: str, body: object, scope: str
    ) -> None:
        assert scope
        assert (await act(client, {}, user.id, method, path, body)).status_code == 401

    @pytest.mark.parametrize("role", [None, *Role])
    @pytest.mark.parametrize(("method", "path", "body", "scope"), ACTS)
    async def test_forbidden_without_the_scope(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
        user: Profile,
        method: str,
        path: str,
        body: object,
        scope: str,
        role: Role | None,
    ) -> None:
        scopes = frozenset() if role is None else ROLE_SCOPES[role]
        headers = await login(app, await create_profile(database), scope=" ".join(scopes))
        response = await act(client, headers, user.id, method, path, body)
        assert response.status_code == (204 if scope in scopes else 403), response.text

    @pytest.mark.parametrize(("method", "path", "body", "scope"), ACTS)
    async def test_not_found(
        self, client: httpx.AsyncClient, log_in_as: Login, method: str, path: str, body: object, scope: str
    ) -> None:
        assert scope
        response = await act(client, await log_in_as(Role.ADMIN), uuid4(), method, path, body)
        assert (response.status_code, response.json()["code"]) == (404, "user_not_found")

    @pytest.mark.parametrize(("method", "path", "body", "scope"), ACTS)
    async def test_nobody_acts_on_themselves(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        user: Profile,
        login: Login,
        method: str,
        path: str,
        body: object,
        scope: str,
    ) -> None:
        headers = await login(app, user, scope=scope)
        response = await act(client, headers, user.id, method, path, body)
        assert (response.status_code, response.json()["code"]) == (403, "own_account")

    @pytest.mark.parametrize(("method", "path", "body", "scope"), ACTS[:4])
    async def test_staff_are_for_admins_alone(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        user: Profile,
        log_in_as: Login,
        method: str,
        path: str,
        body: object,
        scope: str,
    ) -> None:
        assert scope
        async with database.transaction() as session:
            await session.execute(update(Account).filter_by(profile_id=user.id).values(roles=["support"]))
        by_moderator = await act(client, await log_in_as(Role.MODERATOR), user.id, method, path, body)
        assert (by_moderator.status_code, by_moderator.json()["code"]) == (403, "user_protected")
        by_admin = await act(client, await log_in_as(Role.ADMIN), user.id, method, path, body)
        assert by_admin.status_code == 204


class TestFindUsers:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        user: Profile,
        log_in_as: Login,
        create_profile: CreateProfile,
    ) -> None:
        waiting = await create_profile(database, confirmed=False, username="Waiting_One")
        headers = await log_in_as(Role.SUPPORT)

        async def find(**params: str) -> set[str]:
            response = await client.get("/admin/users", params=params, headers=headers)
            return {item["id"] for item in response.json()["items"]}

        assert await find(email=f"{user.username}@PEOPLE.example") == {str(user.id)}
        assert await find(username="waiting_") == {str(waiting.id)}
        assert await find(username="waitingx") == set()
        assert await find(state="unconfirmed") == {str(waiting.id)}
        assert str(user.id) in await find(state="active")
        assert await find(state="banned") == set()
        assert await find(role="admin") == set()
        assert len(await find()) == 3

    async def test_two_searches_at_once(self, client: httpx.AsyncClient, log_in_as: Login) -> None:
        params = {"email": "a@b.example", "state": "active"}
        response = await client.get("/admin/users", params=params, headers=await log_in_as(Role.SUPPORT))
        assert (response.status_code, response.json()["code"]) == (400, "search_ambiguous")

    async def test_one(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, user: Profile, log_in_as: Login
    ) -> None:
        headers = await log_in_as(Role.SUPPORT)
        with record_statements(database) as statements:
            response = await client.get(f"/admin/users/{user.id}", headers=headers)
        assert len(statements) == 1
        found = UserRead.model_validate_json(response.content)
        assert (found.email, found.is_active, found.roles) == (f"{user.username}@people.example", True, [])
        assert "password" not in response.text
        assert (await client.get(f"/admin/users/{uuid4()}", headers=headers)).status_code == 404


class TestBan:
    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        user: Profile,
        login: Login,
        log_in_as: Login,
        request_token: Callable[..., Awaitable[httpx.Response]],
    ) -> None:
        await login(app, user)
        headers = await log_in_as(Role.MODERATOR)
        for _ in range(2):
            assert (await act(client, headers, user.id, "POST", "/ban", {"reason": "spam"})).status_code == 204
        account = await read_account(database, user)
        assert (account.banned_at is not None, account.ban_reason) == (True, "spam")
        async with database.transaction() as session:
            query = select(func.count()).select_from(LoginSession).filter_by(profile_id=user.id, revoked_at=None)
            assert (await session.scalars(query)).one() == 0
        assert await list_actions(database) == ["user_banned"]
        assert await list_events(database) == ["user.banned", "security.noticed"]
        assert (await client.get(f"/profiles/{user.id}")).status_code == 404
        refused = await request_token(client, username=f"{user.username}@people.example")
        assert refused.json()["code"] == "account_banned"
        assert (await act(client, headers, user.id, "POST", "/unban", {"reason": "appeal"})).status_code == 204
        assert (await client.get(f"/profiles/{user.id}")).status_code == 200
        assert (await request_token(client, username=f"{user.username}@people.example")).status_code == 200

    @pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "spam", "until": "never"}])
    async def test_malformed(self, client: httpx.AsyncClient, user: Profile, log_in_as: Login, body: object) -> None:
        response = await act(client, await log_in_as(Role.MODERATOR), user.id, "POST", "/ban", body)
        assert response.status_code == 422

    async def test_login_is_too_old(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        user: Profile,
        create_profile: CreateProfile,
        open_session: Callable[..., Awaitable[object]],
    ) -> None:
        moderator = await create_profile(database)
        opened = await open_session(app, moderator, scope=" ".join(ROLE_SCOPES[Role.MODERATOR]))
        async with database.transaction() as session:
            old = LoginSession.authenticated_at - timedelta(minutes=16)
            await session.execute(update(LoginSession).values(authenticated_at=old))
        form = {"grant_type": "refresh_token", "refresh_token": getattr(opened, "refresh_token")}  # noqa: B009
        token = (await client.post("/auth/token", data=form)).json()["access_token"]
        response = await act(client, {"Authorization": f"Bearer {token}"}, user.id, "POST", "/ban", {"reason": "spam"})
        assert (response.status_code, response.json()["code"]) == (401, "login_too_old")


class TestGrantCreator:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, user: Profile, log_in_as: Login
    ) -> None:
        headers = await log_in_as(Role.MODERATOR)
        for _ in range(2):
            assert (await act(client, headers, user.id, "PUT", "/creator", None)).status_code == 204
        assert (await client.get(f"/creators/{user.id}")).status_code == 200
        assert await list_events(database) == ["creator.activated"]
        assert await list_actions(database) == ["creator_granted"]


class TestRoles:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, user: Profile, log_in_as: Login
    ) -> None:
        body = {"roles": ["moderator", "support", "moderator"]}
        response = await act(client, await log_in_as(Role.ADMIN), user.id, "PUT", "/roles", body)
        assert response.status_code == 204
        assert (await read_account(database, user)).roles == ["moderator", "support"]

    async def test_of_two_admins_one_stays(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        """They take the role from one another at the same moment."""
        admins = [await create_profile(committed_database) for _ in range(2)]
        async with committed_database.transaction() as session:
            await session.execute(update(Account).values(roles=["admin"]))
        logins = [await login(committed_app, admin, scope=" ".join(ROLE_SCOPES[Role.ADMIN])) for admin in admins]
        answers = await asyncio.gather(
            *(
                act(committed_client, headers, other.id, "PUT", "/roles", {"roles": []})
                for headers, other in zip(logins, reversed(admins), strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [204, 409]
        async with committed_database.transaction() as session:
            assert (await session.scalars(select(func.count()).where(Account.roles.contains(["admin"])))).one() == 1

    async def test_command(self, database: RolledBackDatabase, user: Profile) -> None:
        async with database.transaction() as session:
            assert await grant_role(session, f"{user.username}@people.example", Role.ADMIN)
            assert await grant_role(session, f"{user.username}@people.example", Role.ADMIN)
            assert not await grant_role(session, "nobody@people.example", Role.ADMIN)
        assert (await read_account(database, user)).roles == ["admin"]
        assert await list_actions(database) == ["roles_changed"]
