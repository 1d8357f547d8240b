"""How profiles are asked for at auth, and what its failures become."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from chassis.http.client import ServiceClient
from chassis.testing.upstreams import INSTANT, ScriptedUpstream
from posts.accounts.client import AccountsClient
from posts.accounts.exceptions import AccountsUnavailableError
from posts.accounts.schemas import AccountProfile

PROFILE_ID = UUID("01980000-0000-7000-8000-000000000001")
PROFILE: dict[str, Any] = {
    "id": str(PROFILE_ID),
    "username": "ada",
    "first_name": "Ada",
    "last_name": "Lund",
    "is_creator": True,
}


@pytest.fixture
async def accounts(auth: ScriptedUpstream) -> AsyncIterator[AccountsClient]:
    async with ServiceClient("auth", "http://auth.example", policy=INSTANT, backend=auth.backend) as client:
        yield AccountsClient(client)


class TestGetProfile:
    async def test_valid(self, accounts: AccountsClient, auth: ScriptedUpstream) -> None:
        auth.clear().answer(200, {**PROFILE, "created_at": "2026-11-22T12:00:00Z"})

        profile = await accounts.get_profile(PROFILE_ID)

        assert profile == AccountProfile(
            id=PROFILE_ID, username="ada", first_name="Ada", last_name="Lund", is_creator=True
        )
        assert [(request.method, request.path) for request in auth.requests] == [("GET", f"/profiles/{PROFILE_ID}")]
        # It asks what everybody may ask.
        assert "authorization" not in auth.requests[0].headers

    async def test_not_found(self, accounts: AccountsClient) -> None:
        assert await accounts.get_profile(PROFILE_ID) is None

    async def test_away(self, accounts: AccountsClient, auth: ScriptedUpstream) -> None:
        auth.clear().fail()

        with pytest.raises(AccountsUnavailableError) as caught:
            await accounts.get_profile(PROFILE_ID)
        assert int(caught.value.headers["Retry-After"]) >= 1

    @pytest.mark.parametrize(
        ("status", "answer"), [(200, {"id": "none"}), (200, ["ada"]), (403, {"code": "forbidden"}), (500, None)]
    )
    async def test_senseless(self, accounts: AccountsClient, auth: ScriptedUpstream, status: int, answer: Any) -> None:
        auth.clear().answer(status, answer)

        with pytest.raises(AccountsUnavailableError):
            await accounts.get_profile(PROFILE_ID)
