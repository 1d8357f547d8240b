"""What works once works once, also for two at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.accounts.models import Account
from auth.mfa.models import Factor, MfaChallenge, RecoveryCode
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession
from chassis.database.engine import Database

AT_ONCE = 12

Begin = Callable[..., Awaitable[dict[str, str]]]
RequestToken = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def profile(committed_database: Database, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(committed_database)


@pytest.fixture
async def authenticator(committed_app: FastAPI, profile: Profile, turn_on_totp: Callable[..., Awaitable[Any]]) -> Any:
    return await turn_on_totp(committed_app, profile)


async def count(database: Database, table: type[Any]) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(table))).one()


class TestOneCode:
    @pytest.mark.parametrize("kind", ["totp", "recovery_code"])
    async def test_many_logins_at_once(
        self, committed_client: httpx.AsyncClient, committed_database: Database, email: str, authenticator: Any,
        begin: Begin, finish: RequestToken, kind: str,
    ) -> None:  # fmt: skip
        code = authenticator.show_code() if kind == "totp" else authenticator.recovery_codes[0]
        begun = [await begin(committed_client, email) for _ in range(AT_ONCE)]
        answers = await asyncio.gather(*(finish(committed_client, one, code) for one in begun))
        assert sorted(answer.status_code for answer in answers) == [200] + [403] * (AT_ONCE - 1)
        assert {answer.json()["code"] for answer in answers if answer.status_code == 403} == {"second_factor_wrong"}
        assert await count(committed_database, LoginSession) == 1
        assert await count(committed_database, MfaChallenge) == AT_ONCE - 1


class TestOneToken:
    async def test_many_right_codes_at_once(
        self, committed_client: httpx.AsyncClient, committed_database: Database, email: str, authenticator: Any,
        begin: Begin, finish: RequestToken,
    ) -> None:  # fmt: skip
        """One of them logs in, and the others are not used up."""
        begun = await begin(committed_client, email)
        codes = [*authenticator.recovery_codes, authenticator.show_code()]
        answers = await asyncio.gather(*(finish(committed_client, begun, code) for code in codes))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * (len(codes) - 1)
        assert await count(committed_database, LoginSession) == 1
        assert await count(committed_database, RecoveryCode) >= len(authenticator.recovery_codes) - 1


class TestOneEnrolment:
    async def test_confirmed_by_many_at_once(
        self, committed_app: FastAPI, committed_client: httpx.AsyncClient, committed_database: Database,
        profile: Profile, authenticator: Any, login: Callable[..., Awaitable[dict[str, str]]],
    ) -> None:  # fmt: skip
        headers = await login(committed_app, profile, acr="aal2")
        enrolment = (await committed_client.post("/auth/mfa/totp", headers=headers)).json()
        authenticator.secret = enrolment["secret"]
        body = {"code": authenticator.show_code()}
        answers = await asyncio.gather(
            *(committed_client.put("/auth/mfa/totp", json=body, headers=headers) for _ in range(AT_ONCE))
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * (AT_ONCE - 1)
        assert await count(committed_database, Factor) == 1


class TestTurningOff:
    async def test_against_logins(
        self, committed_app: FastAPI, committed_client: httpx.AsyncClient, committed_database: Database, email: str,
        profile: Profile, authenticator: Any, begin: Begin, finish: RequestToken,
        login: Callable[..., Awaitable[dict[str, str]]],
    ) -> None:  # fmt: skip
        """Either is first; nobody waits for one who waits for them."""
        headers = await login(committed_app, profile, acr="aal2")
        factor = (await committed_client.get("/auth/mfa", headers=headers)).json()["factors"][0]["id"]
        begun = [await begin(committed_client, email) for _ in range(6)]
        off, *answers = await asyncio.gather(
            committed_client.delete(f"/auth/mfa/factors/{factor}", headers=headers),
            *(
                finish(committed_client, one, code)
                for one, code in zip(begun, authenticator.recovery_codes, strict=False)
            ),
        )
        assert off.status_code == 204
        assert {answer.status_code for answer in answers} <= {200, 403}
        async with committed_database.transaction() as session:
            assert (await session.scalars(select(Account.second_factors))).one() == []
        assert await count(committed_database, RecoveryCode) == 0
