"""One avatar from hint to report."""

from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from typing import Any, Protocol
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from PIL import Image

from worker.avatars import service
from worker.avatars.tasks import resize_avatar
from worker.constants import Outcome

pytestmark = pytest.mark.usefixtures("settings")


class Owner(Protocol):
    """The fixture of conftest.py."""

    jobs: dict[str, Any]
    away: dict[str, int]
    before: dict[str, Callable[[], None]]
    headers: list[dict[str, str]]

    def create_avatar(self, image: bytes) -> str: ...
    def get_report(self, job_id: str, step: str) -> dict[str, Any] | None: ...
    def list_steps(self, job_id: str) -> list[str]: ...


@pytest.fixture
def image() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (300, 200), (0, 128, 0)).save(buffer, "JPEG")
    return buffer.getvalue()


def run_task(job_id: str) -> str:
    return str(resize_avatar.apply(args=(job_id,)).get())


class TestResizeAvatar:
    def test_valid(self, owner: Owner, image: bytes) -> None:
        job_id = owner.create_avatar(image)
        assert run_task(job_id) == Outcome.DONE
        report = owner.get_report(job_id, "result")
        assert report is not None
        assert report.keys() == {"fence", "small", "large"}
        sizes = [Image.open(BytesIO(b64decode(report[name]))).size for name in ("small", "large")]
        assert sizes == [(96, 96), (512, 512)]
        claim = next(headers for headers in owner.headers if headers["path"].endswith("/claim"))
        assert (claim["path"], claim["authorization"]) == (f"/internal/avatars/{job_id}/claim", "Bearer a-token")

    def test_run_twice(self, owner: Owner, image: bytes) -> None:
        job_id = owner.create_avatar(image)
        assert [run_task(job_id), run_task(job_id)] == [Outcome.DONE, Outcome.SKIPPED]
        assert owner.list_steps(job_id) == ["result"]

    def test_not_found(self) -> None:
        assert run_task(str(uuid4())) == Outcome.SKIPPED

    def test_stale_fence(self, owner: Owner, image: bytes) -> None:
        job_id = owner.create_avatar(image)
        owner.before["result"] = lambda: setattr(owner.jobs[job_id], "fence", 2)
        assert run_task(job_id) == Outcome.SKIPPED
        assert owner.list_steps(job_id) == []

    def test_owner_away(self, owner: Owner, image: bytes) -> None:
        job_id = owner.create_avatar(image)
        owner.away["claim"] = 5
        assert run_task(job_id) == Outcome.OWNER_AWAY
        assert owner.jobs[job_id].state == "queued"

    def test_unreadable(self, owner: Owner) -> None:
        job_id = owner.create_avatar(b"\xff\xd8\xff and nothing more")
        assert run_task(job_id) == Outcome.REJECTED
        assert owner.get_report(job_id, "failure") == {
            "fence": 1,
            "error": "The image cannot be decoded.",
            "permanent": True,
            "code": "image_unreadable",
        }

    def test_out_of_time(self, owner: Owner, image: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        """Celery raises its limit in the middle of the work, and the work would be as long the next time."""

        def raise_limit(*_: object) -> None:
            raise SoftTimeLimitExceeded

        monkeypatch.setattr(service, "make_avatar", raise_limit)
        job_id = owner.create_avatar(image)
        assert run_task(job_id) == Outcome.REJECTED
        report = owner.get_report(job_id, "failure")
        assert report is not None
        assert (report["permanent"], report["code"]) == (True, "processing_failed")
