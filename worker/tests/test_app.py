"""The rules that every task and every setting keeps."""

import ast
from pathlib import Path

import pytest
from celery import Celery

from worker.app import SETTINGS, TASK_MODULES, app, create_queues, create_schedule
from worker.constants import QueueName, TaskName
from worker.tasks import JobTask

SOURCE = Path(__file__).parent.parent / "src" / "worker"
LEASE_SECONDS = 120
TIME_WORDS = {"countdown", "eta", "retry", "retry_backoff", "autoretry_for", "retry_policy", "default_retry_delay"}


@pytest.fixture(scope="module")
def celery() -> Celery:
    app.loader.import_default_modules()
    return app


@pytest.fixture(params=list(TaskName))
def task(celery: Celery, request: pytest.FixtureRequest) -> JobTask:
    found = celery.tasks[request.param]
    assert isinstance(found, JobTask), "one base class for all"
    return found


def list_own_tasks(celery: Celery) -> set[str]:
    return {name for name in celery.tasks if not name.startswith("celery.")}


class TestTasks:
    def test_all_have_a_name_in_the_list(self, celery: Celery) -> None:
        assert list_own_tasks(celery) == set(TaskName)

    def test_limits(self, task: JobTask) -> None:
        assert task.soft_time_limit is not None
        assert task.time_limit is not None
        assert 0 < task.soft_time_limit < task.time_limit < LEASE_SECONDS

    def test_no_late_acks(self, task: JobTask) -> None:
        assert not task.acks_late
        assert not task.reject_on_worker_lost

    def test_route(self, task: JobTask) -> None:
        assert SETTINGS["task_routes"][task.name]["queue"] in set(QueueName)

    def test_at_most_one_argument(self, task: JobTask) -> None:
        names = [name for name in task.run.__code__.co_varnames[: task.run.__code__.co_argcount] if name != "self"]
        assert len(names) <= 1

    def test_body_is_calls_only(self) -> None:
        for path in SOURCE.glob("*/tasks.py"):
            kinds = {type(node) for node in ast.walk(ast.parse(path.read_text()))}
            assert not kinds & {ast.Try, ast.For, ast.While, ast.If, ast.AsyncFunctionDef}, path


class TestSource:
    @pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
    def test_time_lives_in_the_owners_row(self, path: Path) -> None:
        """No countdown, eta or retry: with a visibility timeout they run things twice, or lose them."""
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword):
                assert node.arg not in TIME_WORDS, f"{path}: {node.arg}"
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"retry", "apply_async_on_commit"}, f"{path}: .{node.attr}"


class TestSettings:
    def test_json_only(self, celery: Celery) -> None:
        assert celery.conf.accept_content == ["json"]

    def test_nothing_is_kept(self, celery: Celery) -> None:
        assert celery.conf.task_ignore_result
        assert celery.conf.result_backend is None

    def test_broker_that_hangs_is_noticed(self, celery: Celery) -> None:
        options = celery.conf.broker_transport_options
        assert 0 < options["socket_connect_timeout"] <= 1
        assert 1 < options["socket_timeout"] <= 10
        assert celery.conf.broker_connection_max_retries is None

    def test_every_task_module_is_included(self) -> None:
        modules = {f"worker.{path.parent.name}.tasks" for path in SOURCE.glob("*/tasks.py")}
        assert modules == set(TASK_MODULES)


class TestCreateQueues:
    def test_one_routing_key_each(self) -> None:
        assert [(queue.name, queue.routing_key) for queue in create_queues()] == [(name, name) for name in QueueName]


class TestCreateSchedule:
    def test_every_queue_has_a_canary(self) -> None:
        entries = [entry for entry in create_schedule().values() if entry["task"] == TaskName.TOUCH_CANARY]
        assert {entry["options"]["queue"] for entry in entries} == set(QueueName)
        assert {entry["schedule"] for entry in entries} == {15.0}

    def test_sweep(self) -> None:
        (sweep,) = [entry for entry in create_schedule().values() if entry["task"] == TaskName.RESEND_HINTS]
        assert sweep["schedule"] == 5.0

    def test_nothing_piles_up(self) -> None:
        assert all(entry["options"]["expires"] <= entry["schedule"] for entry in create_schedule().values())
