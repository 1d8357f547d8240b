"""Devices that an account knows: by what token, for how long, and who is told of a new one."""

import asyncio
from collections.abc import Awaitable, Callable
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from auth.devices.constants import MAX_DEVICES
from auth.devices.dependencies import identify_device
from auth.devices.models import KnownDevice
from auth.devices.service import (
    ThisDevice,
    admit_device,
    delete_unseen_devices,
    forget_devices,
    is_known_device,
    remember_device,
)
from auth.devices.utils import DeviceSigner, describe_device
from auth.profiles.models import Profile
from auth.sessions.service import DeviceInfo
from chassis.database.engine import Database
from chassis.events.outbox import OutboxEvent
from chassis.testing.databases import RolledBackDatabase

SIGNER = DeviceSigner(b"of-the-devices")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
COOKIE = "__Host-device"

CreateProfile = Callable[..., Awaitable[Profile]]
RequestToken = Callable[..., Awaitable[httpx.Response]]


def create_device(user_agent: str | None = FIREFOX, token: str | None = None) -> ThisDevice:
    return identify_device(SIGNER, DeviceInfo(user_agent, "203.0.113.0/24"), token)


async def admit(database: Database, device: ThisDevice, profile: Profile) -> ThisDevice:
    """As it comes again."""
    async with database.transaction() as session:
        await admit_device(session, device, profile.id)
    return create_device(device.info.user_agent, device.token)


async def list_notices(database: Database) -> list[dict[str, Any]]:
    async with database.transaction() as session:
        events = await session.scalars(select(OutboxEvent).where(OutboxEvent.type == "security.noticed"))
        return [event.payload for event in events]


class TestDeviceSigner:
    def test_valid(self) -> None:
        device_id = SIGNER.create_id()
        assert SIGNER.read_token(SIGNER.create_token(device_id)) == device_id

    def test_ids_differ(self) -> None:
        assert len({SIGNER.create_id() for _ in range(100)}) == 100

    def test_of_another_secret(self) -> None:
        assert SIGNER.read_token(DeviceSigner(b"other").create_token(uuid4())) is None

    @given(position=st.integers(0, 41), bits=st.integers(1, 63))
    def test_changed_anywhere(self, position: int, bits: int) -> None:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        token = SIGNER.create_token(UUID(int=7))
        changed = alphabet[alphabet.index(token[position]) ^ bits]
        assert SIGNER.read_token(token[:position] + changed + token[position + 1 :]) is None

    @given(token=st.text(max_size=64))
    def test_anything_else(self, token: str) -> None:
        assert SIGNER.read_token(token) is None

    def test_nothing(self) -> None:
        assert SIGNER.read_token(None) is None


class TestDescribeDevice:
    @pytest.mark.parametrize(
        ("user_agent", "name"),
        [
            (FIREFOX, "Firefox on Linux"),
            ("Reader/1.2", "Reader"),
            (None, "an unknown device"),
            ("", "an unknown device"),
            ("<script>alert(1)</script>", "an unknown device"),
            ("\x00\x01", "an unknown device"),
        ],
    )
    def test_valid(self, user_agent: str | None, name: str) -> None:
        assert describe_device(user_agent) == name

    @given(user_agent=st.text(max_size=300))
    def test_any_text(self, user_agent: str) -> None:
        assert 0 < len(describe_device(user_agent)) <= 100


class TestAdmitDevice:
    async def test_first_login_of_an_account(self, database: RolledBackDatabase, create_profile: CreateProfile) -> None:
        profile = await create_profile(database)
        again = await admit(database, create_device(), profile)
        assert await is_known_device(database.reader, again, profile.id)
        assert await list_notices(database) == []

    async def test_new_device_is_told_of(self, database: RolledBackDatabase, create_profile: CreateProfile) -> None:
        profile = await create_profile(database)
        await admit(database, create_device("Reader/1.2"), profile)
        await admit(database, create_device(), profile)
        [notice] = await list_notices(database)
        assert (notice["kind"], notice["user_id"]) == ("new_device", str(profile.id))
        details = notice["details"]
        assert (details["device"], details["address"]) == ("Firefox on Linux", "203.0.113.0/24")
        assert details["time"].endswith("Z")

    async def test_known_device_is_not_told_of_again(
        self, database: RolledBackDatabase, create_profile: CreateProfile
    ) -> None:
        profile = await create_profile(database)
        again = await admit(database, create_device(), profile)
        await admit(database, again, profile)
        await admit(database, again, profile)
        assert await list_notices(database) == []

    async def test_of_two_accounts(self, database: RolledBackDatabase, create_profile: CreateProfile) -> None:
        one, other = await create_profile(database), await create_profile(database)
        again = await admit(database, create_device(), one)
        assert not await is_known_device(database.reader, again, other.id)
        again = await admit(database, again, other)
        assert await is_known_device(database.reader, again, one.id)
        assert await is_known_device(database.reader, again, other.id)

    async def test_after_a_year(self, database: RolledBackDatabase, create_profile: CreateProfile) -> None:
        profile = await create_profile(database)
        again = await admit(database, create_device(), profile)
        async with database.transaction() as session:
            await session.execute(update(KnownDevice).values(seen_at=func.now() - func.make_interval(1, 1)))
        assert not await is_known_device(database.reader, again, profile.id)
        await admit(database, again, profile)
        assert [notice["kind"] for notice in await list_notices(database)] == ["new_device"]
        assert await is_known_device(database.reader, again, profile.id)

    async def test_number_is_bounded(self, database: RolledBackDatabase, create_profile: CreateProfile) -> None:
        profile = await create_profile(database)
        for _ in range(MAX_DEVICES + 3):
            await admit(database, create_device(), profile)
        async with database.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(KnownDevice))).one() == MAX_DEVICES

    async def test_same_device_many_times_at_once(
        self, committed_database: Database, create_profile: CreateProfile
    ) -> None:
        profile, device = await create_profile(committed_database), create_device()
        await asyncio.gather(*(admit(committed_database, device, profile) for _ in range(8)))
        async with committed_database.transaction() as session:
            assert (await session.scalars(select(func.count()).select_from(KnownDevice))).one() == 1


class TestRememberDevice:
    async def test_nobody_is_told(self, database: RolledBackDatabase, create_profile: CreateProfile) -> None:
        profile = await create_profile(database)
        for _ in range(2):
            async with database.transaction() as session:
                await remember_device(session, create_device(), profile.id)
        assert await list_notices(database) == []


class TestForgetDevices:
    async def test_all_but_one(self, database: RolledBackDatabase, create_profile: CreateProfile) -> None:
        profile, other = await create_profile(database), await create_profile(database)
        kept, gone = [await admit(database, create_device(), profile) for _ in range(2)]
        others = await admit(database, create_device(), other)
        async with database.transaction() as session:
            await forget_devices(session, profile.id, except_id=kept.id)
        known = [await is_known_device(database.reader, device, profile.id) for device in (kept, gone)]
        assert known == [True, False]
        assert await is_known_device(database.reader, others, other.id)

    async def test_all(self, database: RolledBackDatabase, create_profile: CreateProfile) -> None:
        profile = await create_profile(database)
        device = await admit(database, create_device(), profile)
        async with database.transaction() as session:
            await forget_devices(session, profile.id)
        assert not await is_known_device(database.reader, device, profile.id)


class TestDeleteUnseenDevices:
    async def test_valid(self, database: RolledBackDatabase, create_profile: CreateProfile) -> None:
        profile = await create_profile(database)
        old, fresh = [await admit(database, create_device(), profile) for _ in range(2)]
        past = func.now() - func.make_interval(1, 1)
        async with database.transaction() as session:
            statement = update(KnownDevice).where(KnownDevice.device_id == old.id).values(seen_at=past)
            await session.execute(statement)
        async with database.transaction() as session:
            assert await delete_unseen_devices(session) == 1
            assert await delete_unseen_devices(session) == 0
            assert (await session.scalars(select(KnownDevice.device_id))).all() == [fresh.id]


class TestDeviceCookie:
    @pytest.fixture
    async def email(self, app: FastAPI, database: RolledBackDatabase, create_profile: CreateProfile) -> str:
        assert app.state.database is database
        return f"{(await create_profile(database)).username}@people.example"

    async def test_is_out_of_reach_of_scripts_and_other_sites(
        self, client: httpx.AsyncClient, email: str, request_token: RequestToken
    ) -> None:
        response = await request_token(client, username=email)
        [header] = [line for line in response.headers.get_list("set-cookie") if line.startswith(COOKIE)]
        cookie = SimpleCookie(header)[COOKIE]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "strict")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert int(cookie["max-age"]) == 365 * 24 * 3600

    async def test_not_before_a_login(self, client: httpx.AsyncClient, email: str, request_token: RequestToken) -> None:
        response = await request_token(client, username=email, password="Wrong-Horse-8-Battery")
        assert response.status_code == 401
        assert "set-cookie" not in response.headers

    async def test_stays_the_same(self, client: httpx.AsyncClient, email: str, request_token: RequestToken) -> None:
        """So that a browser that two people use is known to both."""
        first = (await request_token(client, username=email, delivery="body")).json()["device_token"]
        headers = {"Cookie": f"{COOKIE}={first}", "Sec-Fetch-Site": "same-origin"}
        response = await request_token(client, username=email, headers=headers)
        [header] = [line for line in response.headers.get_list("set-cookie") if line.startswith(COOKIE)]
        assert SimpleCookie(header)[COOKIE].value == first

    @pytest.mark.parametrize("cookie", ["", "x" * 43, "A" * 64])
    async def test_malformed_is_as_good_as_none(
        self, client: httpx.AsyncClient, email: str, request_token: RequestToken, cookie: str
    ) -> None:
        headers = {"Cookie": f"{COOKIE}={cookie}", "Sec-Fetch-Site": "same-origin"}
        assert (await request_token(client, username=email, headers=headers)).status_code == 200

    async def test_database_holds_no_token(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, email: str, request_token: RequestToken
    ) -> None:
        token = (await request_token(client, username=email, delivery="body")).json()["device_token"]
        async with database.transaction() as session:
            [device] = await session.scalars(select(KnownDevice))
        assert str(device.device_id) not in token
        assert len(token) == 43
