"""The sweep against a real broker."""

import json
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from celery import Celery
from pydantic import SecretStr
from redis import Redis

from embedded.valkey import EmbeddedValkey
from worker.app import create_app
from worker.client import get_owners
from worker.config import WorkerConfig
from worker.sweeps import service
from worker.sweeps.service import resend_hints

pytestmark = pytest.mark.usefixtures("settings")


class Owner(Protocol):
    """The fixture of conftest.py."""

    jobs: dict[str, Any]
    away: dict[str, int]

    def create_email(self, **changes: Any) -> str: ...
    def create_rendering(self, markdown: str) -> str: ...


@pytest.fixture
def celery(valkey: EmbeddedValkey) -> Iterator[Celery]:
    app = create_app(WorkerConfig.model_construct(redis_url=SecretStr(valkey.url), worker_drain_seconds=1))
    yield app
    app.close()


@pytest.fixture
def broker(valkey: EmbeddedValkey) -> Iterator["Redis"]:
    with Redis.from_url(valkey.url, decode_responses=True) as client:
        yield client


def list_hints(broker: Redis, queue: str) -> list[tuple[str, str]]:
    """Task name and job id of each message."""
    messages = [json.loads(str(raw)) for raw in broker.lrange(queue, 0, -1)]
    return [(each["headers"]["task"], each["headers"]["argsrepr"].strip("(',)")) for each in messages]


class TestResendHints:
    def test_valid(self, owner: Owner, celery: Celery, broker: Redis) -> None:
        email_id, rendering_id = owner.create_email(), owner.create_rendering("text")
        assert resend_hints(celery, [get_owners().posts]) == 2
        assert list_hints(broker, "mail") == [("mail.send_email", email_id)]
        assert list_hints(broker, "cpu") == [("posts.render_post", rendering_id)]

    def test_broker_wiped(self, owner: Owner, celery: Celery, broker: Redis) -> None:
        """What a wiped broker knew of queues and bindings is not needed."""
        email_id = owner.create_email()
        resend_hints(celery, [get_owners().posts])
        broker.flushall()
        resend_hints(celery, [get_owners().posts])
        assert list_hints(broker, "mail") == [("mail.send_email", email_id)]

    def test_nothing_due(self, owner: Owner, celery: Celery, broker: Redis) -> None:
        owner.jobs[owner.create_email()].state = "done"
        assert resend_hints(celery, get_owners().list_all()) == 0
        assert broker.dbsize() == 0

    def test_one_owner_away(self, owner: Owner, celery: Celery, broker: Redis) -> None:
        """Three tries of the first one's call fail; the others are asked all the same."""
        owner.create_email()
        owner.away["due"] = 3
        assert resend_hints(celery, get_owners().list_all()) == len(get_owners().list_all()) - 1
        assert broker.llen("mail") == len(get_owners().list_all()) - 1

    def test_answer_of_another_shape(self, owner: Owner, celery: Celery, broker: Redis) -> None:
        """Such as a newer release may give: it ends no sweep."""
        owner.jobs["not-a-uuid"] = owner.jobs[owner.create_email()]
        assert resend_hints(celery, get_owners().list_all()) == 0
        assert broker.dbsize() == 0

    def test_unknown_task(self, owner: Owner, celery: Celery, broker: Redis) -> None:
        owner.jobs[owner.create_email()].task = "celery.backend_cleanup"
        assert resend_hints(celery, [get_owners().posts]) == 0
        assert broker.dbsize() == 0

    def test_long_queue(self, owner: Owner, celery: Celery, broker: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        """Workers that lag behind do not get the same jobs once more."""
        monkeypatch.setattr(service, "MAX_QUEUE_LENGTH", 1)
        owner.create_email()
        assert [resend_hints(celery, [get_owners().posts]) for _ in range(3)] == [1, 1, 0]
        assert broker.llen("mail") == 2

    def test_run_twice(self, owner: Owner, celery: Celery, broker: Redis) -> None:
        """Two sweeps send two hints; the claim makes one job of them (see the tests of the tasks)."""
        email_id = owner.create_email()
        assert [resend_hints(celery, [get_owners().posts]) for _ in range(2)] == [1, 1]
        assert list_hints(broker, "mail") == [("mail.send_email", email_id)] * 2
