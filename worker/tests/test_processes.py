"""The processes themselves, started as `make run` and the containers start them, on a real broker."""

import base64
import json
import os
import pickle
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import psutil
import pytest
from redis import Redis

from chassis.jobs.broker import BROKER_ERRORS, Hint, HintBroker
from chassis.testing.polling import poll_until
from embedded.ports import get_free_port
from embedded.valkey import EmbeddedValkey
from worker.canary import is_fresh

SECONDS = 30
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
pytestmark = pytest.mark.timeout(150)


class Owner(Protocol):
    """The fixture of conftest.py."""

    jobs: dict[str, Any]
    headers: list[dict[str, str]]

    def create_email(self, **changes: Any) -> str: ...
    def create_rendering(self, markdown: str) -> str: ...
    def get_report(self, job_id: str, step: str) -> dict[str, Any] | None: ...


class MailHop(Protocol):
    """The fixture of conftest.py."""

    def behave(self, mode: str, times: int | None = None) -> None: ...
    def list_messages(self) -> list[Any]: ...


class Process:
    """One of the worker's processes and what it said."""

    def __init__(self, command: str, environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            argv = [sys.executable, "-m", "worker", command]
            self.process = subprocess.Popen(argv, env=environment, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603

    @property
    def output(self) -> str:
        return self._log.read_text()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        if self.is_running:
            family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
            for member in family:
                member.kill()
            self.process.wait(SECONDS)


Start = Callable[..., Process]


@pytest.fixture
def start(settings: dict[str, str], valkey: EmbeddedValkey, tmp_path: Path) -> Iterator[Start]:
    started: list[Process] = []

    def start_process(command: str, **variables: str) -> Process:
        environment = {
            "PATH": os.environ["PATH"],
            "REDIS_URL": valkey.url,
            "LOG_LEVEL": "DEBUG",
            "WORKER_DRAIN_SECONDS": "2",
            **settings,
            **variables,
        }
        started.append(Process(command, environment, tmp_path / f"{command}.log"))
        return started[-1]

    yield start_process
    for process in started:
        process.kill()


def send_hint(valkey: EmbeddedValkey, task: str, queue: str, job_id: str) -> None:
    """As the background process of an owner does it."""
    broker = HintBroker(valkey.url)
    try:
        broker.send_hints([Hint(task, queue, UUID(job_id), TRACE)])
    finally:
        broker.close()


def send_mail_hint(valkey: EmbeddedValkey, job_id: str) -> None:
    send_hint(valkey, "mail.send_email", "mail", job_id)


def is_done(owner: Owner, job_id: str) -> Callable[[], bool]:
    return lambda: bool(owner.jobs[job_id].state == "done")


class TestMail:
    def test_valid(self, start: Start, owner: Owner, mail_hop: MailHop, valkey: EmbeddedValkey) -> None:
        port = get_free_port()
        worker = start("mail", METRICS_PORT=str(port))
        job_ids = [owner.create_email(), owner.create_email()]
        for job_id in job_ids:
            send_mail_hint(valkey, job_id)
            assert poll_until(is_done(owner, job_id), SECONDS), worker.output
        assert len(mail_hop.list_messages()) == 2
        assert is_fresh("mail"), "work is a sign of life"

        calls = {headers["traceparent"].split("-")[1] for headers in owner.headers}
        assert calls == {TRACE.split("-")[1]}, "the trace of the request that made the job goes on"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            metrics = answer.read().decode()
        assert 'worker_task_duration_seconds_count{outcome="done",task="mail.send_email"} 2.0' in metrics
        assert worker.stop() == 0
        self.check_log(worker.output, job_ids)

    def check_log(self, output: str, job_ids: list[str]) -> None:
        """One line a task, with its ids; no person, no token, no text of a mail in any line."""
        lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        finished = [line for line in lines if line["event"] == "task_finished" and line["task"] == "mail.send_email"]
        assert [line["job_id"] for line in finished] == job_ids
        assert {line["outcome"] for line in finished} == {"done"}
        assert {line["trace_id"] for line in finished} == {TRACE.split("-")[1]}
        assert all(line["task_id"] and line["request_id"] for line in finished)
        for secret in (*(f"{job_id[:8]}@" for job_id in job_ids), "a-token", "Morning", "a-secret-of-the-tests"):
            assert secret not in output

    def test_poisoned_message(self, start: Start, owner: Owner, valkey: EmbeddedValkey, tmp_path: Path) -> None:
        """Pickle is not read, whatever it holds, and the next message is."""
        trap = tmp_path / "trap"
        job_id = owner.create_email()
        send_mail_hint(valkey, job_id)
        with Redis.from_url(valkey.url) as client:
            raw: Any = client.lrange("mail", 0, 0)
            message = json.loads(raw[0])
            message["content-type"] = "application/x-python-serialize"
            message["body"] = base64.b64encode(pickle.dumps(Trap(str(trap)))).decode()
            client.rpush("mail", json.dumps(message))
        worker = start("mail")
        assert poll_until(is_done(owner, job_id), SECONDS), worker.output
        assert not trap.exists()

    def test_terminated_while_busy(self, start: Start, owner: Owner, mail_hop: MailHop, valkey: EmbeddedValkey) -> None:
        """What runs is finished, what waits stays in the queue."""
        worker = start("mail", WORKER_DRAIN_SECONDS="4")
        mail_hop.behave("hang")
        busy = [owner.create_email() for _ in range(2)]
        waiting = [owner.create_email() for _ in range(3)]
        for job_id in busy:
            send_mail_hint(valkey, job_id)
        assert poll_until(lambda: len(mail_hop.list_messages()) == 2, SECONDS), worker.output
        for job_id in waiting:
            send_mail_hint(valkey, job_id)
        worker.process.terminate()
        mail_hop.behave("accept")
        assert worker.process.wait(SECONDS) == 0
        assert [owner.jobs[job_id].state for job_id in busy] == ["done", "done"]
        assert {owner.jobs[job_id].state for job_id in waiting} <= {"queued", "done"}
        with Redis.from_url(valkey.url) as client:
            assert client.llen("mail") == sum(owner.jobs[job_id].state == "queued" for job_id in waiting)

    def test_idle_worker_does_not_wait_for_its_drain(self, start: Start) -> None:
        worker = start("mail", WORKER_DRAIN_SECONDS="120")
        assert poll_until(lambda: " ready." in worker.output, SECONDS), worker.output
        started_at = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - started_at < 10


class TestCpu:
    def test_valid(self, start: Start, owner: Owner, valkey: EmbeddedValkey) -> None:
        worker = start("cpu")
        job_id = owner.create_rendering("# Hi\n\n```python\nx = 1\n```")
        send_hint(valkey, "posts.render_post", "cpu", job_id)
        assert poll_until(is_done(owner, job_id), SECONDS), worker.output
        report = owner.get_report(job_id, "result")
        assert report is not None
        assert 'class="highlight"' in report["html"]
        assert psutil.Process(worker.process.pid).nice() > 0


class TestBeat:
    def test_lost_hint(self, start: Start, owner: Owner, mail_hop: MailHop) -> None:
        """Nobody sends a hint for this mail: the sweep finds it."""
        job_id = owner.create_email()
        processes = [start("mail"), start("beat")]
        assert poll_until(is_done(owner, job_id), SECONDS), processes[0].output
        assert len(mail_hop.list_messages()) == 1
        assert poll_until(lambda: is_fresh("beat") and is_fresh("default"), SECONDS)


class TestBroker:
    def test_restart_under_load(
        self, start: Start, owner: Owner, mail_hop: MailHop, valkey: EmbeddedValkey, tmp_path: Path
    ) -> None:
        """It comes back empty, three times, while mails are under way: all processes live, each mail goes out once."""
        processes = [start("mail"), start("beat")]
        broker = EmbeddedValkey(tmp_path / "valkey", valkey.port)
        job_ids: list[str] = []
        valkey_now = valkey
        try:
            for _ in range(3):
                for _ in range(40):
                    job_ids.append(owner.create_email())
                    send_in_vain(valkey, job_ids[-1])
                poll_until(lambda: owner.jobs[job_ids[-30]].state == "done", SECONDS)
                valkey_now.stop()
                send_in_vain(valkey, job_ids[-1])
                valkey_now = broker
                valkey_now.start()
            assert poll_until(lambda: all(owner.jobs[each].state == "done" for each in job_ids), 60), processes[
                0
            ].output
            assert all(process.is_running for process in processes), [process.output for process in processes]
            recipients = [message.recipients[0] for message in mail_hop.list_messages()]
            assert sorted(recipients) == sorted(f"{job_id[:8]}@example.org" for job_id in job_ids)
        finally:
            broker.stop()


def send_in_vain(valkey: EmbeddedValkey, job_id: str) -> None:
    """A hint that cannot be sent is forgotten, as its owner does."""
    try:
        send_mail_hint(valkey, job_id)
    except BROKER_ERRORS:
        return


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self._path, "w")
