from collections.abc import AsyncIterator
from traceback import format_exception
from uuid import uuid4

import pytest

from chassis.http.client import ServiceClient
from chassis.http.exceptions import UpstreamUnavailableError
from chassis.testing.upstreams import INSTANT, ScriptedUpstream
from notifications.confirmations.client import ConfirmationsClient
from notifications.confirmations.exceptions import ConfirmationGoneError

TOKEN = "kY3Jt0uWcVqQm2bX8nFhRzL5sPdGa7Te_-1xOvCwE9A"
CONFIRMATION = {"token": TOKEN, "expires_at": "2026-11-24T08:05:00.000000Z"}


@pytest.fixture
async def confirmations(auth: ScriptedUpstream) -> AsyncIterator[ConfirmationsClient]:
    async with ServiceClient("auth", "http://auth.example", policy=INSTANT, backend=auth.backend) as client:
        yield ConfirmationsClient(client)


class TestGetConfirmation:
    async def test_valid(self, confirmations: ConfirmationsClient) -> None:
        confirmation = await confirmations.get_confirmation(uuid4())
        assert confirmation.token == TOKEN
        assert TOKEN not in repr(confirmation)

    async def test_not_found(self, confirmations: ConfirmationsClient, auth: ScriptedUpstream) -> None:
        auth.clear().answer(404, {"code": "confirmation_not_found"})
        with pytest.raises(ConfirmationGoneError):
            await confirmations.get_confirmation(uuid4())

    async def test_forbidden(self, confirmations: ConfirmationsClient, auth: ScriptedUpstream) -> None:
        """That auth does not let us in is no fault of the mail, which waits."""
        auth.clear().answer(403, {"code": "insufficient_scope"})
        with pytest.raises(UpstreamUnavailableError):
            await confirmations.get_confirmation(uuid4())

    async def test_away(self, confirmations: ConfirmationsClient, auth: ScriptedUpstream) -> None:
        auth.clear().fail()
        with pytest.raises(UpstreamUnavailableError):
            await confirmations.get_confirmation(uuid4())

    @pytest.mark.parametrize(
        "answer",
        [
            {},
            [],
            None,
            CONFIRMATION | {"token": "a\r\nBcc: x@y.example"},
            CONFIRMATION | {"expires_at": "2026-11-24T08:05:00"},
        ],
    )
    async def test_malformed(self, confirmations: ConfirmationsClient, auth: ScriptedUpstream, answer: object) -> None:
        auth.clear().answer(json=answer)
        with pytest.raises(UpstreamUnavailableError) as caught:
            await confirmations.get_confirmation(uuid4())
        # The token of a link that works must not end in a log with the cause.
        assert TOKEN not in "".join(format_exception(caught.value))
        assert "Bcc" not in "".join(format_exception(caught.value))
