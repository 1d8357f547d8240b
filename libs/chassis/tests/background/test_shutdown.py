import asyncio
import signal
import subprocess
import sys
import threading

import pytest

from chassis.shutdown import watch_shutdown

# Servers of both kinds: uvicorn sets handlers by `signal`, gunicorn's worker by the loop.
SERVER = """
import asyncio, signal, sys
import uvloop
from chassis.shutdown import watch_shutdown

async def serve():
    loop, heard, server_heard = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    if sys.argv[2] == "signal":
        signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(server_heard.set))
    else:
        loop.add_signal_handler(signal.SIGTERM, server_heard.set)
    with watch_shutdown(heard.set):
        print("ready", flush=True)
        await asyncio.wait_for(heard.wait(), 10)
        await asyncio.wait_for(server_heard.wait(), 10)
    print("both", flush=True)

factory = uvloop.new_event_loop if sys.argv[1] == "uvloop" else asyncio.new_event_loop
with asyncio.Runner(loop_factory=factory) as runner:
    runner.run(serve())
"""


class TestWatchShutdown:
    @pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
    @pytest.mark.parametrize("handler", ["signal", "loop"])
    def test_both_hear_of_it(self, loop: str, handler: str) -> None:
        command = [sys.executable, "-c", SERVER, loop, handler]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own script
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "both\n"
        assert process.returncode == 0

    async def test_leaves_the_handlers_as_they_were(self) -> None:
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        with watch_shutdown(lambda: None):
            assert signal.getsignal(signal.SIGTERM) is not before[0]
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before

    async def test_leaves_alone_who_came_later(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        try:
            with watch_shutdown(lambda: None):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGTERM, before)

    async def test_other_threads_watch_nothing(self) -> None:
        """Signals belong to the main thread; a loop elsewhere must still be able to start."""

        async def watch() -> None:
            with watch_shutdown(lambda: None):
                pass

        failures: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(watch())
            except BaseException as error:  # noqa: BLE001 - told by the assertion
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        await asyncio.to_thread(thread.join)
        assert failures == []
