"""The guard in a pytest run of its own, since a test cannot watch itself fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import asyncio
import time

import pytest

blocking_call = time.sleep

def fetch_answer():
    blocking_call(0.4)
    return 42

async def test_blocks():
    assert fetch_answer() == 42

async def test_waits():
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.4)

async def test_blocks_a_thread():
    await asyncio.to_thread(fetch_answer)

def test_without_a_loop():
    assert fetch_answer() == 42

async def test_fails_by_itself():
    blocking_call(0.4)
    assert fetch_answer() == 43

class TestMethod:
    @pytest.mark.parametrize("answer", [42])
    async def test_blocks(self, answer, tmp_path):
        assert fetch_answer() == answer
"""


def run_pytest(folder: Path, seconds: float) -> str:
    (folder / "test_inner.py").write_text(TESTS)
    (folder / "pytest.ini").write_text(f"[pytest]\nasyncio_mode = auto\nloop_stall_seconds = {seconds}\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", str(folder)]
    # Where CI is set, pytest repeats each failure whole in its summary.
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout


class TestRefuseStalls:
    def test_valid(self, tmp_path: Path) -> None:
        output = run_pytest(tmp_path, 0.2)
        assert "3 failed, 3 passed" in output
        assert output.count("the event loop stood still for more than 0.2 s in") == 2
        assert output.count("blocking_call(0.4)\n") >= 2
        assert "assert 42 == 43" in output

    @pytest.mark.parametrize("seconds", [0, 5])
    def test_stall_that_is_allowed(self, tmp_path: Path, seconds: float) -> None:
        assert "1 failed, 5 passed" in run_pytest(tmp_path, seconds)
