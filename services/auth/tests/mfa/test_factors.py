"""`/auth/mfa`: what one has, and turning it off."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from auth.accounts.models import Account
from auth.accounts.service import lock_account
from auth.keys.utils import TokenIssuer
from auth.mfa.constants import MAX_FACTORS, RECOVERY_ALPHABET, Method
from auth.mfa.exceptions import FactorsTooManyError
from auth.mfa.models import Factor, RecoveryCode
from auth.mfa.schemas import MfaRead
from auth.mfa.service import add_factor, remove_factor
from auth.mfa.utils import RecoveryCodeDigester, create_recovery_codes
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase

Headers = dict[str, str]
Login = Callable[..., Awaitable[Headers]]
Names = Callable[[Database], Awaitable[list[str]]]
CountCodes = Callable[[Database], Awaitable[int]]

STRONG: dict[str, Any] = {"amr": ("pwd", "otp", "mfa"), "acr": "aal2"}


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Login) -> Headers:
    """Of a login with both factors."""
    return await login(app, profile, **STRONG)


async def read_mfa(client: httpx.AsyncClient, headers: Headers) -> MfaRead:
    response = await client.get("/auth/mfa", headers=headers)
    assert response.status_code == 200, response.text
    return MfaRead.model_validate_json(response.content)


async def find_factor(database: Database) -> UUID:
    async with database.transaction() as session:
        return (await session.scalars(select(Factor.id))).one()


class TestGetMfa:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/auth/mfa")).status_code == 401

    async def test_valid(self, client: httpx.AsyncClient, authenticator: Any, headers: Headers) -> None:
        state = await read_mfa(client, headers)
        assert (state.is_on, [factor.method for factor in state.factors]) == (True, [Method.TOTP])
        assert state.recovery_codes_left == len(authenticator.recovery_codes) == 10

    async def test_says_no_secret(self, client: httpx.AsyncClient, authenticator: Any, headers: Headers) -> None:
        text = (await client.get("/auth/mfa", headers=headers)).text
        assert authenticator.secret not in text
        assert not [code for code in authenticator.recovery_codes if code in text]

    async def test_without_any(self, client: httpx.AsyncClient, headers: Headers) -> None:
        assert await read_mfa(client, headers) == MfaRead(is_on=False, factors=[], recovery_codes_left=0)

    async def test_app_of_somebody_else(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login
    ) -> None:
        headers = await login(app, profile, client_id="reader-app", scope="posts:read")
        assert (await client.get("/auth/mfa", headers=headers)).status_code == 403


class TestDeleteFactor:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.delete(f"/auth/mfa/factors/{uuid4()}")).status_code == 401

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any,
        headers: Headers, request_token: Callable[..., Awaitable[httpx.Response]], list_notices: Names,
        list_actions: Names, count_codes: CountCodes,
    ) -> None:  # fmt: skip
        """Logins want the password alone again, and the codes that stood in for it are gone."""
        assert authenticator
        response = await client.delete(f"/auth/mfa/factors/{await find_factor(database)}", headers=headers)
        assert (response.status_code, response.content) == (204, b"")
        assert await count_codes(database) == 0
        assert (await list_notices(database))[-1] == "second_factor_removed"
        assert (await list_actions(database))[-1] == "factor_removed"
        assert (await request_token(client, username=email)).status_code == 200

    async def test_not_found(
        self, app: FastAPI, client: httpx.AsyncClient, database: RolledBackDatabase, authenticator: Any,
        create_profile: Callable[..., Awaitable[Profile]], login: Login, headers: Headers,
    ) -> None:  # fmt: skip
        """Nor is somebody else's there."""
        assert authenticator
        stranger = await login(app, await create_profile(database), **STRONG)
        factor_id = await find_factor(database)
        for who, which in ((stranger, factor_id), (headers, uuid4())):
            response = await client.delete(f"/auth/mfa/factors/{which}", headers=who)
            assert (response.status_code, response.json()["code"]) == (404, "factor_not_found")
        assert await find_factor(database) == factor_id

    @pytest.mark.parametrize("is_old", [True, False])
    async def test_login_that_is_old_or_of_one_factor(
        self, app: FastAPI, client: httpx.AsyncClient, database: RolledBackDatabase, profile: Profile,
        turn_on_totp: Callable[..., Awaitable[Any]], login: Login, is_old: bool,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """RFC 9470: the challenge says what to bring."""
        issue = TokenIssuer.issue_user_token
        if is_old:
            monkeypatch.setattr(TokenIssuer, "issue_user_token", lambda self, claims: issue(self, make_old(claims)))
        headers = await login(app, profile, **(STRONG if is_old else {}))
        await turn_on_totp(app, profile)
        factor_id = await find_factor(database)
        for method, path in (
            ("DELETE", f"/auth/mfa/factors/{factor_id}"),
            ("POST", "/auth/mfa/recovery-codes"),
            ("POST", "/auth/mfa/totp"),
        ):
            response = await client.request(method, path, headers=headers)
            challenge = response.headers["WWW-Authenticate"]
            assert (response.status_code, response.json()["code"]) == (401, "login_too_old")
            assert 'error="insufficient_user_authentication"' in challenge
            assert 'max_age="600"' in challenge
            assert ('acr_values="aal2"' in challenge) is not is_old
        assert await find_factor(database) == factor_id


def make_old(claims: Any) -> Any:
    values = {name: getattr(claims, name) for name in claims.__slots__}
    return type(claims)(**values | {"authenticated_at": claims.authenticated_at - timedelta(minutes=11)})


class TestCreateRecoveryCodes:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/auth/mfa/recovery-codes")).status_code == 401

    async def test_valid(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any,
        headers: Headers, begin: Callable[..., Awaitable[dict[str, str]]],
        finish: Callable[..., Awaitable[httpx.Response]], list_notices: Names, list_actions: Names,
    ) -> None:  # fmt: skip
        """The new ones work, the old ones do not."""
        response = await client.post("/auth/mfa/recovery-codes", headers=headers)
        codes = response.json()["recovery_codes"]
        assert (response.status_code, len(codes), len(set(codes))) == (201, 10, 10)
        assert response.headers["Cache-Control"] == "no-store"
        assert (await list_notices(database))[-1] == "recovery_codes_created"
        assert (await list_actions(database))[-1] == "recovery_codes_created"
        statuses = [
            (await finish(client, await begin(client, email), code)).status_code
            for code in (authenticator.recovery_codes[0], codes[0], codes[0])
        ]
        assert statuses == [403, 200, 403]
        assert (await read_mfa(client, headers)).recovery_codes_left == 9

    async def test_conflict(self, client: httpx.AsyncClient, headers: Headers) -> None:
        response = await client.post("/auth/mfa/recovery-codes", headers=headers)
        assert (response.status_code, response.json()["code"]) == (409, "second_factor_off")

    async def test_hashed_at_rest(self, database: RolledBackDatabase, authenticator: Any) -> None:
        async with database.transaction() as session:
            kept = (await session.scalars(select(RecoveryCode.digest))).all()
        text = b"".join(kept).hex() + str(kept)
        assert not [code for code in authenticator.recovery_codes if code.replace("-", "") in text]
        assert RecoveryCodeDigester(b"another").compute_digest(authenticator.recovery_codes[0]) not in kept

    async def test_none_left_is_not_offered(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, authenticator: Any,
        request_token: Callable[..., Awaitable[httpx.Response]],
    ) -> None:  # fmt: skip
        assert authenticator
        async with database.transaction() as session:
            for code in await session.scalars(select(RecoveryCode)):
                await session.delete(code)
        assert (await request_token(client, username=email)).json()["methods"] == ["totp"]


class TestSeveralFactors:
    async def test_codes_come_with_the_first_and_go_with_the_last(
        self, app: FastAPI, database: RolledBackDatabase, profile: Profile, count_codes: CountCodes
    ) -> None:
        digester = app.state.recovery_code_digester
        async with database.transaction() as session:
            account = await lock_account(session, profile.id)
            assert account is not None
            added = [await add_factor(session, digester, account, Method.PASSKEY, name="key") for _ in range(2)]
            added.append(await add_factor(session, digester, account, Method.TOTP))
            assert [len(one.recovery_codes) for one in added] == [10, 0, 0]
            seen = []
            for one in added:
                seen.append(list(account.second_factors))
                await remove_factor(session, account, one.id)
        assert seen == [["passkey", "totp"], ["passkey", "totp"], ["totp"]]
        assert await count_codes(database) == 0
        async with database.transaction() as session:
            assert (await session.get_one(Account, profile.id, populate_existing=True)).second_factors == []

    async def test_too_many(self, app: FastAPI, database: RolledBackDatabase, profile: Profile) -> None:
        async with database.transaction() as session:
            account = await lock_account(session, profile.id)
            assert account is not None
            for _ in range(MAX_FACTORS):
                await add_factor(session, app.state.recovery_code_digester, account, Method.PASSKEY)
            with pytest.raises(FactorsTooManyError):
                await add_factor(session, app.state.recovery_code_digester, account, Method.PASSKEY)


class TestRecoveryCodes:
    def test_hold_120_bits(self) -> None:
        codes = create_recovery_codes()
        assert {len(code.replace("-", "")) * (len(RECOVERY_ALPHABET).bit_length() - 1) for code in codes} == {120}

    @given(
        code=st.text(RECOVERY_ALPHABET, min_size=24, max_size=24),
        data=st.data(),
    )
    def test_any_way_to_write_one_down(self, code: str, data: st.DataObject) -> None:
        looks = {"0": "0oO", "1": "1iIlL"}
        written = "".join(
            data.draw(st.sampled_from(looks.get(letter, letter + letter.lower())))
            + data.draw(st.sampled_from(["", "-", " "]))
            for letter in code
        )
        digester = RecoveryCodeDigester(b"secret")
        assert digester.compute_digest(written) == digester.compute_digest(code)
        assert digester.compute_digest(code[:-1]) != digester.compute_digest(code)
