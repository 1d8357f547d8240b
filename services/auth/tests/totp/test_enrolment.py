"""`/auth/mfa/totp`: an authenticator app, from its secret to its first code."""

import base64
import urllib.parse
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pyotp
import pytest
from cryptography.fernet import Fernet, InvalidToken
from fastapi import FastAPI
from sqlalchemy import select, update

from auth.background import prune_all
from auth.keys.config import KeysConfig
from auth.mfa.models import Factor
from auth.profiles.models import Profile
from auth.totp.models import TotpEnrolment, TotpSecret
from chassis.config import load_config
from chassis.testing.databases import RolledBackDatabase

PATH = "/auth/mfa/totp"
MFA_GRANT = "urn:broadsheet:params:oauth:grant-type:mfa"

Headers = dict[str, str]
Login = Callable[..., Awaitable[Headers]]
RequestToken = Callable[..., Awaitable[httpx.Response]]
TurnOn = Callable[..., Awaitable[Any]]


@pytest.fixture
async def profile(database: RolledBackDatabase, create_profile: Callable[..., Awaitable[Profile]]) -> Profile:
    return await create_profile(database)


@pytest.fixture
def email(profile: Profile) -> str:
    return f"{profile.username}@people.example"


@pytest.fixture
async def headers(app: FastAPI, profile: Profile, login: Login) -> Headers:
    return await login(app, profile)


async def enrol(client: httpx.AsyncClient, headers: Headers) -> dict[str, str]:
    response = await client.post(PATH, headers=headers)
    assert response.status_code == 201, response.text
    enrolment: dict[str, str] = response.json()
    return enrolment


async def confirm(client: httpx.AsyncClient, headers: Headers, code: str) -> httpx.Response:
    return await client.put(PATH, json={"code": code}, headers=headers)


async def list_methods(client: httpx.AsyncClient, headers: Headers) -> list[str]:
    state = (await client.get("/auth/mfa", headers=headers)).json()
    return [factor["method"] for factor in state["factors"]]


class TestCreateTotp:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post(PATH)).status_code == 401

    async def test_valid(self, client: httpx.AsyncClient, email: str, headers: Headers) -> None:
        response = await client.post(PATH, headers=headers)
        assert (response.status_code, response.headers["Cache-Control"]) == (201, "no-store")
        enrolment = response.json()
        app = pyotp.parse_uri(enrolment["uri"])
        assert isinstance(app, pyotp.TOTP)
        assert (app.secret, app.name, app.issuer) == (enrolment["secret"], email, "Broadsheet")
        assert (app.digits, app.interval) == (6, 30)
        assert len(base64.b32decode(app.secret)) == 20

    async def test_picture_can_be_shown(self, client: httpx.AsyncClient, headers: Headers) -> None:
        kind, _, data = (await enrol(client, headers))["qr_code"].partition(",")
        assert kind.startswith("data:image/svg+xml")
        picture = ET.fromstring(urllib.parse.unquote(data))  # noqa: S314 - our own
        assert picture.tag.endswith("svg")
        assert picture.findall("{*}path")

    async def test_changes_nothing_yet(
        self, client: httpx.AsyncClient, email: str, headers: Headers, request_token: RequestToken
    ) -> None:
        await enrol(client, headers)
        assert await list_methods(client, headers) == []
        assert (await request_token(client, username=email)).status_code == 200

    async def test_encrypted_at_rest(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers
    ) -> None:
        """And not by the key that the signing keys are encrypted by."""
        secret = (await enrol(client, headers))["secret"]
        async with database.transaction() as session:
            kept = (await session.scalars(select(TotpEnrolment.encrypted_secret))).one()
        assert secret.encode() not in kept
        assert base64.b32decode(secret) not in base64.urlsafe_b64decode(kept)
        config = load_config(KeysConfig)
        own = Fernet(base64.urlsafe_b64encode(config.derive_secret("totp")))
        assert own.decrypt(kept).decode() == secret
        with pytest.raises(InvalidToken):
            config.create_fernet().decrypt(kept)

    async def test_app_of_somebody_else(
        self, app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Login
    ) -> None:
        headers = await login(app, profile, client_id="reader-app", scope="profile:write")
        assert (await client.post(PATH, headers=headers)).status_code == 403


class TestUpdateTotp:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.put(PATH, json={"code": "123456"})).status_code == 401

    async def test_valid(
        self, client: httpx.AsyncClient, email: str, headers: Headers, request_token: RequestToken
    ) -> None:
        """From now on logins ask for a code; the one that confirmed is used."""
        secret = (await enrol(client, headers))["secret"]
        code = pyotp.TOTP(secret).now()
        response = await confirm(client, headers, f"{code[:3]} {code[3:]}")
        assert response.status_code == 200, response.text
        assert len(response.json()["recovery_codes"]) == 10
        assert await list_methods(client, headers) == ["totp"]
        asked = (await request_token(client, username=email, delivery="body")).json()
        assert asked["code"] == "mfa_required"
        form = {name: asked[name] for name in ("mfa_token", "device_token")} | {"delivery": "body"}
        again = await request_token(client, grant_type=MFA_GRANT, code=code, **form)
        assert again.json()["code"] == "second_factor_wrong"
        later = await request_token(client, grant_type=MFA_GRANT, code=response.json()["recovery_codes"][0], **form)
        assert later.status_code == 200

    async def test_wrong_code(self, client: httpx.AsyncClient, headers: Headers) -> None:
        """The secret waits for the right one."""
        secret = (await enrol(client, headers))["secret"]
        wrong = await confirm(client, headers, "1234567")
        assert (wrong.status_code, wrong.json()["code"]) == (403, "second_factor_wrong")
        assert await list_methods(client, headers) == []
        assert (await confirm(client, headers, pyotp.TOTP(secret).now())).status_code == 200

    async def test_conflict(self, client: httpx.AsyncClient, headers: Headers) -> None:
        """Nothing waits: not begun, or confirmed already."""
        assert (await confirm(client, headers, "123456")).json()["code"] == "enrolment_missing"
        code = pyotp.TOTP((await enrol(client, headers))["secret"]).now()
        answers = [await confirm(client, headers, code) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 409]

    async def test_too_late(self, client: httpx.AsyncClient, database: RolledBackDatabase, headers: Headers) -> None:
        secret = (await enrol(client, headers))["secret"]
        async with database.transaction() as session:
            past = TotpEnrolment.created_at - timedelta(minutes=16)
            await session.execute(update(TotpEnrolment).values(created_at=past))
        response = await confirm(client, headers, pyotp.TOTP(secret).now())
        assert (response.status_code, response.json()["code"]) == (409, "enrolment_missing")
        await prune_all(database)
        async with database.transaction() as session:
            assert (await session.scalars(select(TotpEnrolment))).all() == []

    async def test_only_the_newest_secret_waits(self, client: httpx.AsyncClient, headers: Headers) -> None:
        old, new = [(await enrol(client, headers))["secret"] for _ in range(2)]
        statuses = [(await confirm(client, headers, pyotp.TOTP(secret).now())).status_code for secret in (old, new)]
        assert statuses == [403, 200]

    async def test_another_app_takes_the_place(
        self, app: FastAPI, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, profile: Profile,
        login: Login, turn_on_totp: TurnOn, request_token: RequestToken,
    ) -> None:  # fmt: skip
        """The old one works until the new one is confirmed, and the recovery codes stay the same."""
        first = await turn_on_totp(app, profile)
        headers = await login(app, profile, acr="aal2")
        second = (await enrol(client, headers))["secret"]

        async def log_in(code: str) -> int:
            asked = (await request_token(client, username=email, delivery="body")).json()
            form = {name: asked[name] for name in ("mfa_token", "device_token")} | {"delivery": "body", "code": code}
            return (await request_token(client, grant_type=MFA_GRANT, **form)).status_code

        new_app = pyotp.TOTP(second)
        assert await log_in(new_app.at(first.now)) == 403
        assert await log_in(first.show_code()) == 200
        confirmed = await confirm(client, headers, new_app.at(first.now))
        assert (confirmed.status_code, confirmed.json()["recovery_codes"]) == (200, [])
        assert await log_in(first.show_code(1)) == 403
        assert await log_in(new_app.at(first.now, counter_offset=1)) == 200
        assert await log_in(first.recovery_codes[0]) == 200
        async with database.transaction() as session:
            assert len((await session.scalars(select(Factor))).all()) == 1
            assert len((await session.scalars(select(TotpSecret))).all()) == 1

    @pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": "1" * 65}, {"code": 123456}, {"code": "1\x00"}])
    async def test_malformed(self, client: httpx.AsyncClient, headers: Headers, body: dict[str, Any]) -> None:
        response = await client.put(PATH, json=body, headers=headers)
        assert response.status_code == 422
        assert "123456" not in response.text
