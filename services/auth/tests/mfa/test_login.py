"""`POST /auth/token` in two steps."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from auth.accounts.models import Account
from auth.background import prune_all
from auth.devices.models import KnownDevice
from auth.mfa.models import MfaChallenge
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

MFA_GRANT = "urn:broadsheet:params:oauth:grant-type:mfa"
WRONG = "Wrong-Horse-8-Battery"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}

Begin = Callable[..., Awaitable[dict[str, str]]]
RequestToken = Callable[..., Awaitable[httpx.Response]]
Names = Callable[[Database], Awaitable[list[str]]]


def read_claims(answer: httpx.Response) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    return claims


async def count_sessions(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(LoginSession))).one()


class TestFirstStep:
    async def test_valid(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        email: str,
        authenticator: Any,
        request_token: RequestToken,
    ) -> None:
        assert authenticator
        answer = await request_token(client, username=email)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["error"]) == (403, "mfa_required", "mfa_required")
        assert problem["methods"] == ["totp", "recovery_code"]
        assert len(problem["mfa_token"]) == 43
        assert "device_token" not in problem
        assert answer.headers["Set-Cookie"].startswith("__Host-device=")
        assert "httponly" in answer.headers["Set-Cookie"].lower()
        assert await count_sessions(database) == 0

    async def test_token_is_hashed_at_rest(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any, begin: Begin
    ) -> None:
        assert authenticator
        begun = await begin(client, email)
        async with database.transaction() as session:
            challenge = (await session.scalars(select(MfaChallenge))).one()
            account = (await session.scalars(select(Account))).one()
            kept = str([getattr(challenge, column.key) for column in MfaChallenge.__table__.columns])
        assert begun["mfa_token"] not in kept
        assert account.password_hash not in kept

    async def test_wrong_password_says_nothing_of_it(
        self, client: httpx.AsyncClient, email: str, authenticator: Any, request_token: RequestToken
    ) -> None:
        assert authenticator
        wrong = await request_token(client, username=email, password=WRONG)
        unknown = await request_token(client, username="nobody@people.example", password=WRONG)
        assert wrong.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}

    async def test_known_device_does_not_get_past(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        profile: Profile,
        email: str,
        turn_on_totp: Callable[..., Awaitable[Any]],
        request_token: RequestToken,
    ) -> None:
        token = (await request_token(client, username=email, delivery="body")).json()["device_token"]
        await turn_on_totp(app, profile)
        answer = await request_token(client, username=email, delivery="body", device_token=token)
        assert (answer.status_code, answer.json()["code"]) == (403, "mfa_required")
        assert await count_sessions(database) == 1

    @pytest.mark.parametrize("is_known", [True, False])
    async def test_factor_turned_on_while_the_password_is_checked(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        monkeypatch: pytest.MonkeyPatch,
        profile: Profile,
        email: str,
        turn_on_totp: Callable[..., Awaitable[Any]],
        request_token: RequestToken,
        is_known: bool,
    ) -> None:
        """Neither the statement of a known device nor the longer way lets a session of one factor begin."""
        token = (await request_token(client, username=email, delivery="body")).json()["device_token"]
        verify = app.state.hashing.verify_password

        async def turn_on_and_verify(password: str, password_hash: str | None) -> bool:
            await turn_on_totp(app, profile)
            return bool(await verify(password, password_hash))

        monkeypatch.setattr(app.state.hashing, "verify_password", turn_on_and_verify)
        known = {"device_token": token} if is_known else {}
        answer = await request_token(client, username=email, delivery="body", **known)
        assert (answer.status_code, answer.json()["code"]) == (409, "account_changed")
        assert await count_sessions(database) == 1

    async def test_others_pay_no_statement_for_it(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, request_token: RequestToken
    ) -> None:
        token = (await request_token(client, username=email, delivery="body")).json()["device_token"]
        with record_statements(database) as statements:
            answer = await request_token(client, username=email, delivery="body", device_token=token)
        assert (answer.status_code, len(statements)) == (200, 3)


class TestSecondStep:
    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any, begin: Begin,
        finish: RequestToken, list_actions: Names,
    ) -> None:  # fmt: skip
        answer = await finish(client, await begin(client, email), authenticator.show_code())
        assert answer.status_code == 200, answer.text
        assert {"access_token", "refresh_token", "device_token"} <= set(answer.json())
        refresh = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
        for response in (answer, await client.post("/auth/token", data=refresh)):
            claims = read_claims(response)
            assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], "aal2")
        assert (await list_actions(database))[-2:] == ["factor_asked", "login_succeeded"]

    async def test_recovery_code(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any, begin: Begin,
        finish: RequestToken, list_notices: Names, count_codes: Callable[[Database], Awaitable[int]],
    ) -> None:  # fmt: skip
        """In whatever way it is typed."""
        code = authenticator.recovery_codes[3].replace("-", " ").lower()
        answer = await finish(client, await begin(client, email), code)
        assert (answer.status_code, read_claims(answer)["acr"]) == (200, "aal2")
        assert await count_codes(database) == 9
        assert "recovery_code_used" in await list_notices(database)
        again = await finish(client, await begin(client, email), code)
        assert (again.status_code, again.json()["code"]) == (403, "second_factor_wrong")

    async def test_in_a_browser(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any,
        request_token: RequestToken,
    ) -> None:  # fmt: skip
        """By cookies alone: the device's is set by the first step, the session's by the second."""
        asked = await request_token(client, username=email, headers=SAME_ORIGIN)
        cookie = {"Cookie": asked.headers["Set-Cookie"].partition(";")[0]}
        form = {"grant_type": MFA_GRANT, "mfa_token": asked.json()["mfa_token"], "code": authenticator.show_code()}
        refused = await request_token(client, headers={"Sec-Fetch-Site": "cross-site"} | cookie, **form)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_site_refused")
        answer = await request_token(client, headers=SAME_ORIGIN | cookie, **form)
        assert answer.status_code == 200, answer.text
        assert "refresh_token" not in answer.json()
        assert any(name.startswith("__Host-refresh_token=") for name in answer.headers.get_list("Set-Cookie"))
        async with database.transaction() as session:
            assert len((await session.scalars(select(KnownDevice))).all()) == 1

    @pytest.mark.parametrize("code", ["1234567", "1", "x" * 64, "AAAAAA-BBBBBB-CCCCCC-DDDDDD", "١٢٣٤٥٦", "é"])
    async def test_wrong_code(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any, begin: Begin,
        finish: RequestToken, list_actions: Names, code: str,
    ) -> None:  # fmt: skip
        """Is recorded, and spends nothing: the right one does it afterwards."""
        begun = await begin(client, email)
        refused = await finish(client, begun, code)
        assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_wrong")
        assert refused.json()["error"] == "invalid_grant"
        assert (await list_actions(database))[-1] == "factor_refused"
        assert (await finish(client, begun, authenticator.show_code())).status_code == 200

    async def test_code_works_once(
        self, client: httpx.AsyncClient, email: str, authenticator: Any, begin: Begin, finish: RequestToken
    ) -> None:
        """Nor does an older one work after it; the next does."""
        codes = [authenticator.show_code(step) for step in (0, 0, -1, 1)]
        statuses = [(await finish(client, await begin(client, email), code)).status_code for code in codes]
        assert statuses == [200, 403, 403, 200]

    async def test_token_works_once(
        self, client: httpx.AsyncClient, email: str, authenticator: Any, begin: Begin, finish: RequestToken
    ) -> None:
        begun = await begin(client, email)
        assert (await finish(client, begun, authenticator.show_code())).status_code == 200
        again = await finish(client, begun, authenticator.show_code(1))
        assert (again.status_code, again.json()["code"]) == (401, "mfa_token_invalid")

    @pytest.mark.parametrize("shown", ["nothing", "another", "forged"])
    async def test_only_on_the_same_device(
        self, client: httpx.AsyncClient, email: str, authenticator: Any, begin: Begin, finish: RequestToken,
        shown: str,
    ) -> None:  # fmt: skip
        begun, other = await begin(client, email), await begin(client, email)
        tokens = {"nothing": "", "another": other["device_token"], "forged": "A" * 43}
        code = authenticator.show_code()
        answer = await finish(client, begun | {"device_token": tokens[shown]}, code)
        assert (answer.status_code, answer.json()["code"]) == (401, "mfa_token_invalid")
        assert (await finish(client, begun, code)).status_code == 200

    @pytest.mark.parametrize("token", ["A" * 43, "x" * 64, "ü"])
    async def test_unknown_token(
        self, client: httpx.AsyncClient, email: str, authenticator: Any, begin: Begin, finish: RequestToken,
        token: str,
    ) -> None:  # fmt: skip
        begun = await begin(client, email) | {"mfa_token": token}
        answer = await finish(client, begun, authenticator.show_code())
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_grant")

    async def test_too_late(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any, begin: Begin,
        finish: RequestToken,
    ) -> None:  # fmt: skip
        begun = await begin(client, email)
        async with database.transaction() as session:
            past = MfaChallenge.expires_at - timedelta(minutes=5, seconds=1)
            await session.execute(update(MfaChallenge).values(expires_at=past))
        answer = await finish(client, begun, authenticator.show_code())
        assert (answer.status_code, answer.json()["code"]) == (401, "mfa_token_invalid")
        await prune_all(database)
        async with database.transaction() as session:
            assert (await session.scalars(select(MfaChallenge))).all() == []

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"password_hash": "another"}, (401, "mfa_token_invalid")),
            ({"banned_at": func.now()}, (403, "account_banned")),
        ],
    )
    async def test_account_that_changed_meanwhile(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any, begin: Begin,
        finish: RequestToken, values: dict[str, Any], expected: tuple[int, str],
    ) -> None:  # fmt: skip
        begun = await begin(client, email)
        async with database.transaction() as session:
            await session.execute(update(Account).values(**values))
        answer = await finish(client, begun, authenticator.show_code())
        assert (answer.status_code, answer.json()["code"]) == expected
        assert await count_sessions(database) == 0

    @pytest.mark.parametrize("missing", ["mfa_token", "code"])
    async def test_incomplete(
        self, client: httpx.AsyncClient, email: str, authenticator: Any, begin: Begin, request_token: RequestToken,
        missing: str,
    ) -> None:  # fmt: skip
        form = {"grant_type": MFA_GRANT, **await begin(client, email), "code": authenticator.show_code()}
        del form[missing]
        answer = await request_token(client, **form)
        assert (answer.status_code, answer.json()["code"]) == (400, "token_request_invalid")
