import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded.processes import read_last_words, spawn, stop_process, wait_for_start

WaitFor = Callable[[Callable[[], object]], None]
SPAWN_AND_WAIT = """
import sys
from pathlib import Path
from embedded.processes import spawn
child = spawn([sys.executable, "-c", "import signal; signal.pause()"], log=Path(sys.argv[1]))
print(child.pid, flush=True)
child.wait()
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


class TestSpawn:
    @pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal is Linux'")
    def test_child_does_not_outlive_a_killed_parent(self, tmp_path: Path, wait_for: WaitFor) -> None:
        argv = [sys.executable, "-c", SPAWN_AND_WAIT, str(tmp_path / "log")]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert is_alive(pid)
            parent.kill()
        wait_for(lambda: not is_alive(pid))

    def test_output_is_appended(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        for word in ("one", "two"):
            spawn([sys.executable, "-c", f"print('{word}')"], log=log).wait()
        assert log.read_text() == "one\ntwo\n"


class TestWaitForStart:
    @pytest.fixture
    def child(self, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
        child = spawn([sys.executable, "-c", "import signal; signal.pause()"], log=tmp_path / "log")
        yield child
        stop_process(child)

    def test_valid(self, child: "subprocess.Popen[bytes]") -> None:
        answers = iter([False, False, True])
        assert wait_for_start(child, lambda: next(answers), 5)

    def test_silent(self, child: "subprocess.Popen[bytes]") -> None:
        assert not wait_for_start(child, lambda: False, 0.05)

    def test_ended(self, child: "subprocess.Popen[bytes]") -> None:
        child.kill()
        assert not wait_for_start(child, lambda: False, 60)


class TestStopProcess:
    def test_valid(self, tmp_path: Path) -> None:
        child = spawn([sys.executable, "-c", "import signal; signal.pause()"], log=tmp_path / "log")
        stop_process(child, signal.SIGTERM)
        assert child.returncode == -signal.SIGTERM

    def test_deaf_process_is_killed(self, tmp_path: Path, wait_for: WaitFor) -> None:
        log = tmp_path / "log"
        child = spawn([sys.executable, "-c", DEAF], log=log)
        wait_for(lambda: "deaf" in log.read_text())
        stop_process(child, signal.SIGTERM, patience_seconds=0.1)
        assert child.returncode == -signal.SIGKILL


class TestReadLastWords:
    def test_not_found(self, tmp_path: Path) -> None:
        assert read_last_words(tmp_path / "log") == "it left no log"

    def test_valid(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        log.write_text("FATAL: of the last run\nstarting\nFATAL: no room\nthe end\n\n")
        assert read_last_words(log, offset=len("FATAL: of the last run\n")) == "FATAL: no room"
        assert read_last_words(log, offset=log.stat().st_size) == "it said nothing"
