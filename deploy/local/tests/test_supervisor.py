"""The supervisor with small processes of the test's own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deploy.local import child as child_module
from deploy.local.child import Child, Order, ProcessPlan, State
from deploy.local.supervisor import StartupError, Supervisor, write_state

from chassis.testing.polling import wait_until

WAIT = "import signal; signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()"
WITH_CHILD = """
import subprocess, sys, signal
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
Path(sys.argv[1]).write_text(str(child.pid))
signal.pause()
"""
LAUNCHER = """
import sys, signal
from pathlib import Path
from deploy.local.child import Order, ProcessPlan
from deploy.local.supervisor import Supervisor
plan = ProcessPlan("nap", [sys.executable, "-c", "import signal; signal.pause()"], Order.API)
supervisor = Supervisor([plan], Path(sys.argv[1]))
supervisor.start(lambda: True, 10)
print(supervisor.describe()["nap"]["pid"], flush=True)
supervisor.run()
"""
WaitFor = Callable[[Callable[[], object]], None]
MakeSupervisor = Callable[..., Supervisor]


@pytest.fixture
def make_supervisor(tmp_path: Path) -> Iterator[MakeSupervisor]:
    made: list[Supervisor] = []

    def make(*plans: ProcessPlan) -> Supervisor:
        made.append(Supervisor(plans, tmp_path / "logs"))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.stop()


def plan(name: str, code: str, *arguments: str, **options: object) -> ProcessPlan:
    values = {"order": Order.API, "patience_seconds": 5.0, **options}
    return ProcessPlan(name, [sys.executable, "-c", code, *arguments], **values)  # type: ignore[arg-type]


def never(_pid: int) -> bool:
    return False


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def get_pid(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.children[name].pid
    assert pid is not None
    return pid


class TestStart:
    def test_valid(self, make_supervisor: MakeSupervisor) -> None:
        supervisor = make_supervisor(plan("nap", WAIT))
        supervisor.start(lambda: True, 10)
        assert is_alive(get_pid(supervisor, "nap"))
        assert supervisor.describe() == {"nap": {"pid": get_pid(supervisor, "nap"), "restarts": 0}}

    def test_each_after_what_it_needs(self, make_supervisor: MakeSupervisor, tmp_path: Path) -> None:
        note = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
        story = str(tmp_path / "story")
        supervisor = make_supervisor(
            plan("third", note, story, "3", needs=("second",), once=True),
            plan("second", note, story, "2", needs=("first", "ready"), once=True),
            plan("first", note, story, "1", once=True),
            plan("ready", WAIT, is_ready=lambda _: Path(story).exists()),
        )
        supervisor.start(lambda: True, 10)
        assert Path(story).read_text() == "123"

    def test_config_error_ends_it_with_the_last_line(self, make_supervisor: MakeSupervisor) -> None:
        supervisor = make_supervisor(plan("shy", "import sys; print('PORT is not set'); sys.exit(78)", is_ready=never))
        with pytest.raises(StartupError, match="shy ended with code 78: PORT is not set"):
            supervisor.start(lambda: True, 10)

    def test_failing_once(self, make_supervisor: MakeSupervisor) -> None:
        supervisor = make_supervisor(plan("migrate", "raise SystemExit('no database')", once=True))
        with pytest.raises(StartupError, match="migrate ended with code 1: no database"):
            supervisor.start(lambda: True, 10)

    def test_gives_up_after_three_tries(self, make_supervisor: MakeSupervisor) -> None:
        supervisor = make_supervisor(plan("faint", "raise SystemExit('too hot')", is_ready=never), plan("nap", WAIT))
        with pytest.raises(StartupError, match="too hot"):
            supervisor.start(lambda: True, 10)
        assert supervisor.children["faint"].restarts == 2

    def test_never_ready(self, make_supervisor: MakeSupervisor) -> None:
        supervisor = make_supervisor(plan("nap", WAIT), plan("slow", WAIT, is_ready=never))
        with pytest.raises(StartupError, match=r"^not ready after 0 s: slow$"):
            supervisor.start(lambda: True, 0.2)

    def test_missing_program(self, make_supervisor: MakeSupervisor) -> None:
        supervisor = make_supervisor(ProcessPlan("ghost", ["/nowhere/ghost"], Order.API))
        with pytest.raises(StartupError, match=r"ghost cannot be started: .*nowhere"):
            supervisor.start(lambda: True, 10)


class TestRun:
    @pytest.fixture
    def running(self, make_supervisor: MakeSupervisor, tmp_path: Path) -> Supervisor:
        supervisor = make_supervisor(plan("parent", WITH_CHILD, str(tmp_path / "pid")), plan("nap", WAIT))
        supervisor.start((tmp_path / "pid").exists, 10)
        return supervisor

    def test_killed_process_is_started_again(self, running: Supervisor, capsys: pytest.CaptureFixture[str]) -> None:
        first = get_pid(running, "nap")
        changes: list[int | None] = []
        running.on_change = lambda: changes.append(running.children["nap"].pid)
        killer = threading.Timer(0.1, os.kill, (first, signal.SIGKILL))
        killer.start()
        end_when(running, lambda: running.children["nap"].restarts == 1)
        running.run()
        killer.join()
        assert is_alive(get_pid(running, "nap"))
        assert get_pid(running, "nap") != first
        assert changes[-1] == get_pid(running, "nap")
        assert "nap was killed by SIGKILL; starting it again" in capsys.readouterr().out

    def test_its_children_go_with_it(self, running: Supervisor, tmp_path: Path, wait_for: WaitFor) -> None:
        grandchild = int((tmp_path / "pid").read_text())
        os.kill(get_pid(running, "parent"), signal.SIGKILL)
        end_when(running, lambda: running.children["parent"].restarts == 1)
        running.run()
        wait_for(lambda: not is_alive(grandchild))

    def test_pauses_grow(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor) -> None:
        monkeypatch.setattr(child_module, "FIRST_PAUSE_SECONDS", 3.0)
        child = Child(plan("faint", "raise SystemExit(1)"), tmp_path / "faint.log")
        child.start_when_due()
        wait_for(lambda: child.check() is not None)
        child.start_when_due()
        assert (child.state, child.restarts, child.pid) == (State.WAITING, 0, None)


class TestStop:
    def test_in_order(self, make_supervisor: MakeSupervisor, tmp_path: Path) -> None:
        story = tmp_path / "story"
        note = (
            "import signal, sys, time\n"
            "def end(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2]); sys.exit()\n"
            "signal.signal(signal.SIGTERM, end); open(sys.argv[1] + sys.argv[2], 'w')\nsignal.pause()"
        )
        orders = {"b": Order.BACK_END, "a": Order.API, "w": Order.WORKER, "g": Order.GATEWAY}
        supervisor = make_supervisor(*(plan(key, note, str(story), key, order=order) for key, order in orders.items()))
        supervisor.start(lambda: all(Path(f"{story}{key}").exists() for key in orders), 10)
        supervisor.stop()
        assert story.read_text() == "gwab"

    def test_deaf_process_is_killed(self, make_supervisor: MakeSupervisor, tmp_path: Path) -> None:
        code = DEAF.replace("\nwhile", "; open(__import__('sys').argv[1], 'w')\nwhile")
        supervisor = make_supervisor(plan("deaf", code, str(tmp_path / "up"), patience_seconds=0.2))
        supervisor.start((tmp_path / "up").exists, 10)
        pid = get_pid(supervisor, "deaf")
        supervisor.stop()
        assert not is_alive(pid)

    def test_paused_process_ends(self, make_supervisor: MakeSupervisor) -> None:
        supervisor = make_supervisor(plan("nap", WAIT))
        supervisor.start(lambda: True, 10)
        pid = get_pid(supervisor, "nap")
        os.kill(pid, signal.SIGSTOP)
        started_at = time.monotonic()
        supervisor.stop()
        assert not is_alive(pid)
        assert time.monotonic() - started_at < 4

    def test_twice(self, make_supervisor: MakeSupervisor) -> None:
        supervisor = make_supervisor(plan("nap", WAIT))
        supervisor.start(lambda: True, 10)
        supervisor.stop()
        supervisor.stop()
        assert supervisor.children["nap"].state is State.STOPPED

    @pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal is Linux'")
    def test_killed_launcher_leaves_nothing(self, tmp_path: Path, wait_for: WaitFor) -> None:
        argv = [sys.executable, "-c", LAUNCHER, str(tmp_path / "logs")]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as launcher:
            assert launcher.stdout is not None
            pid = int(launcher.stdout.readline())
            assert is_alive(pid)
            launcher.kill()
        wait_for(lambda: not is_alive(pid))


class TestWriteState:
    def test_valid(self, tmp_path: Path) -> None:
        path = tmp_path / "ports.json"
        for number in (1, 2):
            write_state(path, {"number": number})
        assert json.loads(path.read_text()) == {"number": 2}
        assert path.stat().st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == [path]


def end_when(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    """Let `run` return as if somebody had asked for the end, once the condition holds."""

    async def read() -> bool:
        return condition()

    def wait() -> None:
        try:
            asyncio.run(wait_until(read))
        finally:
            supervisor.request_end()

    threading.Thread(target=wait, daemon=True).start()
