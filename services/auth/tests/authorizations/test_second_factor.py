"""Logging in on the page where the account asks for a second factor."""

from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup
from fastapi import FastAPI
from sqlalchemy import func, select

from auth.accounts.service import lock_account
from auth.audit.models import AuditEntry
from auth.codes.models import AppCode
from auth.mfa.constants import Method
from auth.mfa.models import MfaChallenge, RecoveryCode
from auth.mfa.service import add_factor
from auth.profiles.models import Profile
from auth.sessions.models import LoginSession
from chassis.testing.databases import RolledBackDatabase

PATH = "/auth/authorize"
PASSWORD = "Correct-Horse-7-Battery"
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def authenticator(app: FastAPI, profile: Profile, turn_on_totp: Any) -> Any:
    return await turn_on_totp(app, profile)


def read_cookies(answer: httpx.Response) -> dict[str, str]:
    pairs = (cookie.partition(";")[0].partition("=") for cookie in answer.headers.get_list("set-cookie"))
    return {name: value for name, _, value in pairs}


class OnThePage:
    """A browser that keeps its cookies."""

    def __init__(self, client: httpx.AsyncClient, other: Any) -> None:
        self._client = client
        self._other = other
        self.cookies: dict[str, str] = {}

    async def press(self, step: str, **fields: str) -> httpx.Response:
        headers = OUR_PAGE | {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        form = {"step": step, **fields}
        answer = await self._client.post(PATH, params=self._other.ask(), data=form, headers=headers)
        self.cookies |= read_cookies(answer)
        return answer

    async def log_in(self, email: str) -> str:
        """The token of the second step."""
        answer = await self.press("log_in", username=email, password=PASSWORD)
        page = BeautifulSoup(answer.text, "html.parser")
        assert (answer.status_code, [field["name"] for field in page.select("input")]) == (200, ["mfa_token", "code"])
        return str(page.select("input")[0]["value"])


@pytest.fixture
def page(client: httpx.AsyncClient, other: Any) -> OnThePage:
    return OnThePage(client, other)


class TestSecondFactor:
    @pytest.mark.parametrize("kind", ["app", "recovery code"])
    async def test_valid(
        self, page: OnThePage, database: RolledBackDatabase, authenticator: Any, email: str, kind: str
    ) -> None:
        """The password alone lets nobody in; with the code it is a login of two factors."""
        token = await page.log_in(email)
        assert "__Host-refresh_token" not in page.cookies
        code = authenticator.show_code() if kind == "app" else authenticator.recovery_codes[0]
        assert (await page.press("show_code", mfa_token=token, code=code)).status_code == 303
        assert (await page.press("allow")).status_code == 303
        async with database.transaction() as session:
            [code_row] = await session.scalars(select(AppCode))
            [login] = await session.scalars(select(LoginSession))
        assert (code_row.acr, login.acr) == ("aal2", "aal2")
        assert "mfa" in code_row.amr

    async def test_wrong_code_can_be_mended(
        self, page: OnThePage, database: RolledBackDatabase, authenticator: Any, email: str
    ) -> None:
        token = await page.log_in(email)
        wrong = await page.press("show_code", mfa_token=token, code="not-a-code")
        assert (wrong.status_code, token in wrong.text) == (403, True)
        async with database.transaction() as session:
            assert list(await session.scalars(select(AuditEntry).filter_by(action="factor_refused")))
        right = await page.press("show_code", mfa_token=token, code=authenticator.show_code())
        assert right.status_code == 303

    async def test_of_another_device(
        self, page: OnThePage, database: RolledBackDatabase, authenticator: Any, email: str
    ) -> None:
        """Or unknown, or spent: from the beginning, and no recovery code is lost by it."""
        token = await page.log_in(email)
        page.cookies.clear()
        answer = await page.press("show_code", mfa_token=token, code=authenticator.recovery_codes[0])
        assert (answer.status_code, 'type="password"' in answer.text) == (403, True)
        assert "__Host-refresh_token" not in page.cookies
        async with database.transaction() as session:
            left = (await session.scalars(select(func.count()).select_from(RecoveryCode))).one()
        assert left == len(authenticator.recovery_codes)

    async def test_works_once(self, page: OnThePage, authenticator: Any, email: str) -> None:
        token = await page.log_in(email)
        codes = authenticator.recovery_codes
        assert (await page.press("show_code", mfa_token=token, code=codes[0])).status_code == 303
        assert (await page.press("show_code", mfa_token=token, code=codes[1])).status_code == 403

    async def test_nothing_typed(self, page: OnThePage, authenticator: Any, email: str) -> None:
        assert authenticator
        await page.log_in(email)
        assert (await page.press("show_code")).status_code == 403

    async def test_passkey_alone(
        self, app: FastAPI, page: OnThePage, database: RolledBackDatabase, profile: Profile, email: str
    ) -> None:
        """It takes a script, which the page has none of: they are told where else."""
        async with database.transaction() as session:
            account = await lock_account(session, profile.id)
            assert account is not None
            await add_factor(session, app.state.recovery_code_digester, account, Method.PASSKEY)
            for code in await session.scalars(select(RecoveryCode)):
                await session.delete(code)
        answer = await page.press("log_in", username=email, password=PASSWORD)
        assert "asks for a passkey" in answer.text
        assert "__Host-refresh_token" not in page.cookies
        async with database.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(MfaChallenge))).one() == 1
