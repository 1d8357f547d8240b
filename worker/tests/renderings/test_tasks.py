"""One rendering from hint to report."""

import time
from collections.abc import Callable
from typing import Any, Protocol
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from worker.constants import Outcome
from worker.renderings import service
from worker.renderings.constants import MAX_MARKDOWN_LENGTH
from worker.renderings.tasks import render_post

pytestmark = pytest.mark.usefixtures("settings")


class Owner(Protocol):
    """The fixture of conftest.py."""

    jobs: dict[str, Any]
    away: dict[str, int]
    before: dict[str, Callable[[], None]]
    refusals: dict[str, tuple[int, dict[str, str]]]

    def create_rendering(self, markdown: str) -> str: ...
    def get_report(self, job_id: str, step: str) -> dict[str, Any] | None: ...
    def list_steps(self, job_id: str) -> list[str]: ...


def run_task(job_id: str) -> str:
    return str(render_post.apply(args=(job_id,)).get())


class TestRenderPost:
    def test_valid(self, owner: Owner) -> None:
        job_id = owner.create_rendering("# Hi\n\nA *paragraph* <script>alert(1)</script>")
        assert run_task(job_id) == Outcome.DONE
        report = owner.get_report(job_id, "result")
        assert report is not None
        assert report["html"].startswith("<h1>Hi</h1>\n<p>A <em>paragraph</em>")
        assert "<script" not in report["html"]
        assert report["excerpt"].startswith("A paragraph")
        assert report["fence"] == 1

    def test_run_twice(self, owner: Owner) -> None:
        job_id = owner.create_rendering("text")
        assert [run_task(job_id), run_task(job_id)] == [Outcome.DONE, Outcome.SKIPPED]
        assert owner.list_steps(job_id) == ["result"]

    def test_not_found(self) -> None:
        assert run_task(str(uuid4())) == Outcome.SKIPPED

    def test_stale_fence(self, owner: Owner) -> None:
        job_id = owner.create_rendering("text")
        owner.before["result"] = lambda: setattr(owner.jobs[job_id], "fence", 2)
        assert run_task(job_id) == Outcome.SKIPPED
        assert owner.list_steps(job_id) == []

    def test_owner_away(self, owner: Owner) -> None:
        job_id = owner.create_rendering("text")
        owner.away["claim"] = 5
        assert run_task(job_id) == Outcome.OWNER_AWAY
        assert owner.jobs[job_id].state == "queued"

    def test_owner_restarts_before_the_result(self, owner: Owner) -> None:
        job_id = owner.create_rendering("text")
        owner.away["result"] = 4
        started_at = time.monotonic()
        assert run_task(job_id) == Outcome.DONE
        assert time.monotonic() - started_at < 10

    def test_too_long(self, owner: Owner) -> None:
        job_id = owner.create_rendering("a" * (MAX_MARKDOWN_LENGTH + 1))
        assert run_task(job_id) == Outcome.REJECTED
        report = owner.get_report(job_id, "failure")
        assert report == {
            "fence": 1,
            "error": f"The text is longer than {MAX_MARKDOWN_LENGTH} characters.",
            "permanent": True,
            "code": "html_too_large",
        }

    def test_out_of_time(self, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
        """Celery raises its limit in the middle of the work, and the work would be as long the next time."""

        def raise_limit(*_: object, **__: object) -> None:
            raise SoftTimeLimitExceeded

        monkeypatch.setattr(service, "render_article", raise_limit)
        job_id = owner.create_rendering("text")
        assert run_task(job_id) == Outcome.REJECTED
        report = owner.get_report(job_id, "failure")
        assert report == {"fence": 1, "error": "The article takes more than 20 s to render.", "permanent": True}

    def test_result_refused(self, owner: Owner) -> None:
        job_id = owner.create_rendering("text")
        owner.refusals["result"] = (413, {"code": "body_too_large"})
        assert run_task(job_id) == Outcome.REJECTED
        report = owner.get_report(job_id, "failure")
        assert report == {"fence": 1, "error": "posts: 413 body_too_large", "permanent": True}
