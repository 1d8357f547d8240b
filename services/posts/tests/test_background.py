"""What the background process runs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import httpx
import pytest

from chassis.database.engine import Database
from chassis.jobs.broker import Hint
from chassis.jobs.hints import HintSender
from chassis.testing.polling import wait_until
from posts import background
from posts.creators.models import Creator
from posts.renderings.service import RENDERINGS


class RememberingBroker:
    def __init__(self) -> None:
        self.hints: list[Hint] = []
        self.is_closed = False

    def count_waiting(self, _: str) -> int:
        return 0

    def close(self) -> None:
        self.is_closed = True

    def send_hints(self, hints: Sequence[Hint]) -> None:
        self.hints += hints


class TestHints:
    async def test_a_new_post_is_hinted_at(
        self,
        committed_client: httpx.AsyncClient,
        committed_database: Database,
        create_profile: Callable[..., Awaitable[Creator]],
        login: Callable[[UUID], dict[str, str]],
        worker: dict[str, str],
    ) -> None:
        """With its trace, and to the queue of CPU-bound work; the hint leads to a claim."""
        broker = RememberingBroker()
        sender = asyncio.create_task(HintSender(committed_database, broker, [RENDERINGS]).run())
        headers = login((await create_profile(committed_database)).id)
        traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        await committed_client.post(
            "/posts", json={"title": "Quiet", "body": "Quiet."}, headers={**headers, "traceparent": traceparent}
        )

        async def read_hints() -> list[Hint]:
            return broker.hints

        (hint,) = await wait_until(read_hints)
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)

        assert (hint.task, hint.queue) == ("posts.render_post", "cpu")
        assert (hint.traceparent or "").startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
        claim = await committed_client.post(f"/internal/renderings/{hint.job_id}/claim", headers=worker)
        assert claim.status_code == 200


class TestRunBackground:
    async def test_broker_is_closed_whatever_ends_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        broker = RememberingBroker()

        async def run_tasks(*_: object) -> None:
            assert not broker.is_closed
            raise ConnectionResetError

        monkeypatch.setattr(background, "HintBroker", lambda _: broker)
        monkeypatch.setattr(background, "run_tasks", run_tasks)
        with pytest.raises(ConnectionResetError):
            await background.run_background()
        assert broker.is_closed
