"""Hear of the process's end when it is asked for, not when the last request has been answered.

A server's lifespan ends only after all requests are done; a request that waits on purpose must know earlier.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def watch_shutdown(on_stop: Callable[[], None]) -> Iterator[None]:
    """Call `on_stop` in the running loop when a stop signal arrives; the server's own handlers run as before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    previous = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def handle_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(on_stop)
        handler = previous[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        elif handler is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in STOP_SIGNALS:
        signal.signal(number, handle_signal)
    try:
        yield
    finally:
        for number, handler in previous.items():
            # Whoever came after us keeps what they set.
            if signal.getsignal(number) is handle_signal:
                signal.signal(number, handler)
