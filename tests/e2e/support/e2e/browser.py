"""A real browser, by the pipe of its DevTools protocol: what people use, and nothing installed for it."""

import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--remote-debugging-pipe",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
# The browser reads commands from its descriptor 3 and answers on 4.
START = 'exec "$@" 3<&{commands} 4>&{answers}'
CHUNK = 65_536

Json = dict[str, Any]


class Browser:
    """With one page, and a passkey provider of its own that says yes to everything. Blocks: call it in a thread."""

    def __init__(self, profile: Path, *, seconds: float = 60) -> None:
        self._profile = profile
        self._deadline = time.monotonic() + seconds
        self._number = 0
        self._buffer = b""
        self._session = ""

    def __enter__(self) -> Self:
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        start = START.format(commands=commands, answers=answers)
        command = ["bash", "-c", start, "bash", str(BINARY), *FLAGS, f"--user-data-dir={self._profile}"]
        self._process = subprocess.Popen(command, pass_fds=(commands, answers), stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")
        self._call("WebAuthn.enable")
        options = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True}
        says_yes = {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
        self._call("WebAuthn.addVirtualAuthenticator", options=options | says_yes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def open(self, url: str) -> None:
        """Until it is loaded."""
        self._call("Page.navigate", url=url)
        self._read_until(lambda message: message.get("method") == "Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of a script's promise, in the page, as if somebody had clicked."""
        how = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = self._call("Runtime.evaluate", expression=script, **how)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def _call(self, method: str, **params: Any) -> Json:
        self._number += 1
        number = self._number
        command = {"id": number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        message = self._read_until(lambda message: message.get("id") == number)
        assert "error" not in message, message["error"]
        result: Json = message["result"]
        return result

    def _read_until(self, is_wanted: Any) -> Json:
        while True:
            text, separator, rest = self._buffer.partition(b"\0")
            if separator:
                self._buffer = rest
                message: Json = json.loads(text)
                if is_wanted(message):
                    return message
                continue
            left = self._deadline - time.monotonic()
            readable, _, _ = select.select([self._answers], [], [], max(0, left))
            assert readable, "the browser does not answer"
            chunk = os.read(self._answers, CHUNK)
            assert chunk, "the browser has ended"
            self._buffer += chunk
