"""One export from hint to report. The three services are one here, so each part stands three times in the archive."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from io import BytesIO
from typing import Any, Protocol
from uuid import uuid4
from zipfile import ZipFile

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from worker.constants import Outcome
from worker.exports import client, utils
from worker.exports.tasks import build_export

pytestmark = pytest.mark.usefixtures("settings")
USER_ID = str(uuid4())
POSTS = [{"title": f"Post {number}", "body": "Zoë <b>&amp;\n" * number} for number in range(5)]


class Owner(Protocol):
    """The fixture of conftest.py."""

    jobs: dict[str, Any]
    away: dict[str, int]
    before: dict[str, Callable[[], None]]
    refusals: dict[str, tuple[int, dict[str, str]]]
    headers: list[dict[str, str]]
    data: dict[str, list[dict[str, Any]]]

    def create_export(self, user_id: str) -> str: ...
    def get_report(self, job_id: str, step: str) -> dict[str, Any] | None: ...
    def list_steps(self, job_id: str) -> list[str]: ...


@pytest.fixture
def job_id(owner: Owner) -> str:
    owner.data = {"posts": POSTS, "follows": []}
    return owner.create_export(USER_ID)


def run_task(job_id: str) -> str:
    return str(build_export.apply(args=(job_id,)).get())


def read_archive(owner: Owner, job_id: str) -> ZipFile:
    """Of the pieces in their order."""
    pieces = [facts for step, facts in owner.jobs[job_id].reports if step == "chunks"]
    assert [piece["number"] for piece in pieces] == list(range(len(pieces)))
    content = b"".join(b64decode(piece["content"]) for piece in pieces)
    report = owner.get_report(job_id, "result")
    assert report == {"fence": owner.jobs[job_id].fence, "chunks": len(pieces), "size": len(content)}
    return ZipFile(BytesIO(content))


def get_failure(owner: Owner, job_id: str) -> dict[str, Any]:
    report = owner.get_report(job_id, "failure")
    assert report is not None
    return report


class TestBuildExport:
    def test_valid(self, owner: Owner, job_id: str) -> None:
        assert run_task(job_id) == Outcome.DONE
        archive = read_archive(owner, job_id)
        assert archive.testzip() is None
        names = [f"{folder}/{part}.json" for folder in ("auth", "posts", "notifications") for part in owner.data]
        assert archive.namelist() == [*names, "index.html"]
        assert json.loads(archive.read("posts/posts.json")) == POSTS
        assert json.loads(archive.read("posts/follows.json")) == []
        index = archive.read("index.html").decode()
        assert '<td><a href="posts/posts.json">posts/posts.json</a></td><td>Your posts</td><td>5</td>' in index
        asked = [headers["path"] for headers in owner.headers if "part=posts" in headers["path"]]
        assert [path.rpartition("&")[2] for path in asked[:3]] == ["limit=2", "cursor=2", "cursor=4"]
        assert all(path.startswith(f"/internal/users/{USER_ID}/data?") for path in asked)

    def test_files(self, owner: Owner, job_id: str) -> None:
        """A picture is one, and not a line of text."""
        content = b64encode(b"RIFF....WEBP").decode()
        owner.data["avatar"] = [{"file_name": "avatar.webp", "content": content, "created_at": "2026"}]
        assert run_task(job_id) == Outcome.DONE
        archive = read_archive(owner, job_id)
        assert archive.read("auth/avatar.webp") == b"RIFF....WEBP"
        assert json.loads(archive.read("auth/avatar.json")) == [{"file_name": "avatar.webp", "created_at": "2026"}]

    @pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/b.txt", "C:\\x.txt", "evil", ""])
    def test_file_that_would_leave_its_folder(self, owner: Owner, job_id: str, name: str) -> None:
        owner.data["avatar"] = [{"file_name": name, "content": ""}]
        assert run_task(job_id) == Outcome.DEFERRED
        assert owner.list_steps(job_id) == ["failure"]

    def test_run_twice(self, owner: Owner, job_id: str) -> None:
        assert [run_task(job_id), run_task(job_id)] == [Outcome.DONE, Outcome.SKIPPED]
        assert owner.list_steps(job_id) == ["chunks", "result"]

    def test_not_found(self) -> None:
        assert run_task(str(uuid4())) == Outcome.SKIPPED

    def test_several_pieces(self, owner: Owner, job_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("worker.exports.service.CHUNK_BYTES", 100)
        assert run_task(job_id) == Outcome.DONE
        assert owner.list_steps(job_id).count("chunks") > 5
        assert json.loads(read_archive(owner, job_id).read("auth/posts.json")) == POSTS

    def test_deleted_meanwhile(self, owner: Owner, job_id: str) -> None:
        owner.before["chunks"] = owner.jobs.clear
        assert run_task(job_id) == Outcome.SKIPPED

    def test_stale_fence(self, owner: Owner, job_id: str) -> None:
        """Somebody else has the job: nothing of ours gets into the archive."""
        owner.before["chunks"] = lambda: setattr(owner.jobs[job_id], "fence", 2)
        assert run_task(job_id) == Outcome.SKIPPED
        assert owner.list_steps(job_id) == []

    @pytest.mark.parametrize("step", ["export-parts", "data"])
    def test_service_away(self, owner: Owner, job_id: str, step: str) -> None:
        owner.away[step] = 5
        assert run_task(job_id) == Outcome.OWNER_AWAY
        assert get_failure(owner, job_id)["permanent"] is False

    @pytest.mark.parametrize("step", ["export-parts", "data"])
    @pytest.mark.parametrize("status", [404, 409, 422])
    def test_service_refuses(self, owner: Owner, job_id: str, step: str, status: int) -> None:
        """An older release perhaps. It is not the job that is gone, nor for ever refused."""
        owner.refusals[step] = (status, {"code": "not_found"})
        assert run_task(job_id) == Outcome.DEFERRED
        assert get_failure(owner, job_id)["permanent"] is False

    def test_list_without_an_end(self, owner: Owner, job_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "PAGES_MAX", 2)
        assert run_task(job_id) == Outcome.DEFERRED
        assert "does not end" in get_failure(owner, job_id)["error"]

    def test_too_large(self, owner: Owner, job_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(utils, "MAX_BYTES", 200)
        assert run_task(job_id) == Outcome.REJECTED
        assert get_failure(owner, job_id)["permanent"] is True
        assert owner.list_steps(job_id) == ["failure"]

    def test_out_of_time(self, owner: Owner, job_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def raise_limit(*_: object) -> None:
            raise SoftTimeLimitExceeded

        monkeypatch.setattr("worker.exports.service.list_parts", raise_limit)
        assert run_task(job_id) == Outcome.DEFERRED
        assert "more than 90 s" in get_failure(owner, job_id)["error"]
