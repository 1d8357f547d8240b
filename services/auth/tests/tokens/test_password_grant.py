"""`POST /auth/token` with a password."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from http.cookies import SimpleCookie

import argon2
import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from auth.accounts.models import Account
from auth.clients.constants import DELEGABLE_SCOPES
from auth.passwords.config import HashingConfig
from auth.passwords.utils import PasswordHashing
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession, RefreshToken
from chassis.logs import configure_logging
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

REFRESH_COOKIE = "__Host-refresh_token"

RequestToken = Callable[..., Awaitable[httpx.Response]]


class TestPasswordGrant:
    async def test_valid(self, client: httpx.AsyncClient, email: str, request_token: RequestToken) -> None:
        response = await request_token(client, username=email.upper())
        assert response.status_code == 200
        answer = response.json()
        assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
        assert (answer["token_type"], answer["expires_in"]) == ("bearer", 300)
        assert response.headers["Cache-Control"] == "no-store"
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        assert (await client.get("/profiles/me", headers=headers)).json()["email"] == email

    async def test_access_token_says_what_it_must_for_five_minutes(
        self, client: httpx.AsyncClient, profile: Profile, email: str, request_token: RequestToken
    ) -> None:
        token = (await request_token(client, username=email)).json()["access_token"]
        header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
        assert (header["typ"], header["alg"]) == ("at+jwt", "EdDSA")
        key, _ = (await client.get("/.well-known/jwks.json")).json()["keys"]
        assert header["kid"] == key["kid"]
        named = {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "client_id", "scope", "amr", "acr", "auth_time"}
        assert set(claims) == named
        assert (claims["client_id"], claims["amr"], claims["acr"]) == ("broadsheet", ["pwd"], "aal1")
        assert set(claims["scope"].split()) == DELEGABLE_SCOPES
        assert (claims["iss"], claims["aud"], claims["sub"]) == (
            "https://broadsheet.example",
            "broadsheet",
            str(profile.id),
        )
        assert claims["exp"] - claims["iat"] == 300
        assert abs(claims["iat"] - time.time()) < 60
        assert abs(claims["auth_time"] - time.time()) < 60

    async def test_key_is_read_before_the_transaction(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, request_token: RequestToken
    ) -> None:
        """Which would hold a connection meanwhile, and wait for another."""
        with record_statements(database) as statements:
            assert (await request_token(client, username=email)).status_code == 200
        reads = [index for index, statement in enumerate(statements) if "FROM key_pair" in statement]
        writes = [index for index, statement in enumerate(statements) if statement.startswith("INSERT")]
        assert reads
        assert writes
        assert max(reads) < min(writes)

    async def test_cookie_is_out_of_reach_of_scripts_and_other_sites(
        self, client: httpx.AsyncClient, email: str, request_token: RequestToken
    ) -> None:
        response = await request_token(client, username=email)
        [header] = [line for line in response.headers.get_list("set-cookie") if line.startswith(REFRESH_COOKIE)]
        cookie = SimpleCookie(header)[REFRESH_COOKIE]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "strict")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert int(cookie["max-age"]) == 30 * 24 * 3600
        assert cookie.value not in response.text

    async def test_client_without_cookies_gets_it_in_the_body(
        self, client: httpx.AsyncClient, email: str, request_token: RequestToken
    ) -> None:
        response = await request_token(client, username=email, delivery="body")
        assert "set-cookie" not in response.headers
        assert len(response.json()["refresh_token"]) == 43

    async def test_database_holds_no_token(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, request_token: RequestToken
    ) -> None:
        token = (await request_token(client, username=email, delivery="body")).json()["refresh_token"]
        async with database.transaction() as session:
            [stored] = await session.scalars(select(RefreshToken))
            [family] = await session.scalars(select(LoginSession))
        assert token.encode() not in stored.digest
        assert (family.expires_at - family.created_at).days == 30

    async def test_wrong_password_and_unknown_address_look_alike(
        self, client: httpx.AsyncClient, email: str, request_token: RequestToken
    ) -> None:
        wrong = await request_token(client, username=email, password="Wrong-Horse-8-Battery")
        unknown = await request_token(client, username="nobody@people.example")
        nonsense = await request_token(client, username="no address at all")
        for response in (wrong, unknown, nonsense):
            assert response.status_code == 401
            assert response.headers["WWW-Authenticate"] == "Bearer"
            problem = response.json()
            assert problem.pop("request_id")
            assert problem == {
                "type": "/problems/credentials-invalid",
                "title": "The e-mail address or the password is wrong, or the address is not confirmed yet",
                "status": 401,
                "code": "credentials_invalid",
                "error": "invalid_grant",
                "error_description": "The e-mail address or the password is wrong, or the address is not confirmed yet",
            }

    async def test_before_confirmation_the_right_password_is_as_good_as_a_wrong_one(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: Callable[..., Awaitable[Profile]],
        request_token: RequestToken,
    ) -> None:
        profile = await create_profile(database, confirmed=False)
        email = f"{profile.username}@people.example"
        right = await request_token(client, username=email)
        wrong = await request_token(client, username=email, password="Wrong-Horse-8-Battery")
        for answer in (right, wrong):
            assert (answer.status_code, answer.json()["code"]) == (401, "credentials_invalid")

    async def test_hash_is_renewed_when_parameters_have_changed(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        email: str,
        request_token: RequestToken,
    ) -> None:
        with PasswordHashing(HashingConfig(memory_kib=128, time_cost=2, threads=1)) as stronger:
            app.state.hashing = stronger
            for _ in range(2):
                assert (await request_token(client, username=email)).status_code == 200
        async with database.transaction() as session:
            [stored] = await session.scalars(select(Account.password_hash))
        parameters = argon2.extract_parameters(stored)
        assert (parameters.memory_cost, parameters.time_cost) == (128, 2)

    async def test_busy_hashing_is_told_in_time(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        email: str,
        request_token: RequestToken,
        keep_hashing_busy: Callable[[FastAPI], AbstractContextManager[None]],
    ) -> None:
        with keep_hashing_busy(app):
            response = await request_token(client, username=email)
        assert (response.status_code, response.json()["code"]) == (503, "hashing_busy")
        assert response.json()["error"] == "temporarily_unavailable"
        assert response.headers["Retry-After"] == "1"

    async def test_log_lines_hold_no_credentials(
        self,
        capsys: pytest.CaptureFixture[str],
        client: httpx.AsyncClient,
        email: str,
        request_token: RequestToken,
    ) -> None:
        configure_logging("DEBUG")
        granted = await request_token(client, username=email, delivery="body")
        await request_token(client, username=email, password="canary-7-canary")
        await request_token(client, grant_type="refresh_token", refresh_token=granted.json()["refresh_token"])
        output = capsys.readouterr().out
        assert '"event": "session_created"' in output
        assert '"event": "login_refused"' in output
        tokens = [granted.json()["access_token"], granted.json()["refresh_token"]]
        for canary in ("canary-7-canary", "Correct-Horse-7-Battery", email, *tokens):
            assert canary not in output


class TestMalformed:
    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({}, "invalid_request"),
            ({"grant_type": "password"}, "invalid_request"),
            ({"grant_type": "password", "username": "a@people.example"}, "invalid_request"),
            ({"grant_type": "password", "username": "a@people.example", "password": "x" * 129}, "invalid_request"),
            ({"grant_type": "password", "username": "a\x00b@people.example", "password": "x"}, "invalid_request"),
            ({"grant_type": "implicit"}, "unsupported_grant_type"),
            ({"grant_type": "x" * 101}, "invalid_request"),
        ],
    )
    async def test_refused_as_rfc_6749_wants(self, client: httpx.AsyncClient, form: dict[str, str], error: str) -> None:
        response = await client.post("/auth/token", data=form)
        assert (response.status_code, response.json()["error"]) == (400, error)
        assert response.headers["content-type"] == "application/json"
        assert response.json()["error_description"]

    async def test_json_is_no_form(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/auth/token", json={"grant_type": "password"})
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")

    async def test_password_is_never_repeated(self, client: httpx.AsyncClient) -> None:
        form = {"grant_type": "password", "username": "\x00", "password": "canary-7-canary" * 20}
        assert "canary" not in (await client.post("/auth/token", data=form)).text

    async def test_unknown_fields_are_ignored(
        self, client: httpx.AsyncClient, email: str, request_token: RequestToken
    ) -> None:
        response = await request_token(client, username=email, scope="", client_id="swagger", nonce="1")
        assert response.status_code == 200
